-- The fields of a provisioning exchange, as somebody writes them who has
-- tshark and an afternoon: HTTP takes the messages apart, a postdissector
-- reads what it says of them. No notes, no links, no ranges in the bytes.
local mcas = Proto("mcas_lua", "M-CAS (Lua)")

local types = {
    companycode = ProtoField.string,
    servicecode = ProtoField.string,
    controlcode = ProtoField.string,
    terminalid = ProtoField.string,
    resultcode = ProtoField.uint16,
    ip_addr = ProtoField.ipv4,
    netmask = ProtoField.uint8,
    gateway = ProtoField.ipv4,
    dest_nw_addr = ProtoField.string,
    sipsv_addr = ProtoField.ipv4,
    sipsv_port = ProtoField.uint16,
    regsv_addr = ProtoField.ipv4,
    regsv_port = ProtoField.uint16,
    sip_domain = ProtoField.string,
    username = ProtoField.string,
    password = ProtoField.string,
    ip_tel_num = ProtoField.string,
    area_code = ProtoField.string,
    url_update = ProtoField.string,
    url_update_cas = ProtoField.string,
    dscp = ProtoField.uint8,
    rtpport1 = ProtoField.uint16,
    rtpport2 = ProtoField.uint16,
}
local fields = {}
for key, make in pairs(types) do
    fields[key] = make("mcas_lua." .. key, key)
end
local f_version = ProtoField.string("mcas_lua.version", "Version")
local f_network = ProtoField.ipv4("mcas_lua.network", "Network")
local f_prefix = ProtoField.uint8("mcas_lua.prefix", "Prefix length")
local f_server = ProtoField.ipv4("mcas_lua.server", "Server address")
local f_port = ProtoField.uint16("mcas_lua.port", "Server port")
local all = { f_version, f_network, f_prefix, f_server, f_port }
for _, field in pairs(fields) do table.insert(all, field) end
mcas.fields = all

local http_host = Field.new("http.host")
local http_user_agent = Field.new("http.user_agent")
local http_set_cookie = Field.new("http.set_cookie")
local http_file_data = Field.new("http.file_data")

local function text(info)
    return info and tostring(info.value)
end

-- Whose bytes a value is cannot be told: HTTP's fields say only what it is.
local function add_pair(tree, range, key, value)
    key = key:lower()
    local make = types[key]
    if make == nil then return end
    if make == ProtoField.ipv4 then
        tree:add(fields[key], range, Address.ip(value))
    elseif make == ProtoField.string then
        tree:add(fields[key], range, value)
    elseif tonumber(value) then
        tree:add(fields[key], range, tonumber(value))
    end
    if key == "dest_nw_addr" then
        for network, prefix in value:gmatch("([%d.]+)/(%d+)") do
            tree:add(f_network, range, Address.ip(network))
            tree:add(f_prefix, range, tonumber(prefix))
        end
    end
end

local function add_cookie(tree, range, cookie)
    local address, port = cookie:match("^BIGipServer[^=]*=(%d+)%.(%d+)%.0000")
    if address == nil then return end
    address, port = tonumber(address), tonumber(port)
    local octets = {}
    for i = 1, 4 do
        octets[i] = address % 256
        address = math.floor(address / 256)
    end
    tree:add(f_server, range, Address.ip(table.concat(octets, ".")))
    tree:add(f_port, range, port % 256 * 256 + math.floor(port / 256))
end

function mcas.dissector(buffer, pinfo, tree)
    local body = text(http_file_data())
    local agent, host = text(http_user_agent()), text(http_host())
    local request = host == "add-con.mcas"
        or (agent and agent:sub(1, 6) == "M-CAS/")
    local response = body and body:sub(1, 11) == "ResultCode="
    if not request and not response then return end

    local range = buffer()
    local subtree = tree:add(mcas, range)
    pinfo.cols.protocol = "M-CAS"
    if request then
        local version = (agent or ""):match("^M%-CAS/(%S*)")
        if version then subtree:add(f_version, range, version) end
        pinfo.cols.info = "Request"
        for key, value in (body or ""):gmatch("([^=&]+)=([^&]*)") do
            add_pair(subtree, range, key, value)
        end
    else
        local cookie = text(http_set_cookie())
        if cookie then add_cookie(subtree, range, cookie) end
        pinfo.cols.info = "Response"
        for key, value in body:gmatch("([^=\r\n]+)=([^\r\n]*)") do
            add_pair(subtree, range, key, value)
        end
    end
end

register_postdissector(mcas)
