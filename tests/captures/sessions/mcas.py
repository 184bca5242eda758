"""Sessions with M-CAS in them, each a capture of its name."""

import asyncio

from .steps import *


# The exchanges of protocol.md

def mcas_provisioning():
    """provisioning through a BIG-IP balancer: curl and Apache"""
    exchange(provisioning(), to=ADD_CON)


def mcas_provisioning_nginx():
    """provisioning without a cookie: curl and nginx"""
    exchange(provisioning(), to=NGINX)


def mcas_firmware():
    """firmware GET in absolute form, an image of 24,000 bytes: Apache"""
    exchange(firmware(), to=VERUP)


def mcas_firmware_nginx():
    """the same in origin form, from nginx, with a query in the target"""
    exchange(firmware("--request-target", IMAGE + "?from=4.02.0179"),
             to=NGINX)


def mcas_firmware_answers():
    """one connection: HEAD, 206, 416, 304, 404, then the image"""
    page("/download/fw/RTS300HI/small.bin", noise(3000))
    small = IMAGE.replace("PRRTRV-S3X0HI12020003", "small")
    exchange(firmware("--head", path=small),
             firmware("--range", "1000-1999", path=small),
             firmware("--range", "9000-9999", path=small),
             firmware("--header",
                      "If-Modified-Since: Sun, 01 Jan 2012 00:00:00 GMT",
                      path=small),
             firmware(path=small.replace("small", "absent")),
             firmware(path=small), to=VERUP)


def mcas_firmware_paths():
    """firmware paths: no model folder, no file, /fw/ twice, empty image"""
    page("/fw/plain.bin", noise(100))
    page("/fw/RT200KI/fw/2/nested.bin", noise(200))
    page("/fw/VG820a/empty.bin", b"")
    exchange(firmware(path="/fw/plain.bin"),
             firmware(path="/fw/RT200KI/fw/2/nested.bin"),
             firmware(path="/fw/VG820a/empty.bin"),
             firmware(path="/fw/VG820a/"), to=VERUP)


def mcas_notification():
    """update notifications on port 50080: form, text lines, query"""
    answer(crlf("ResultCode=0000"))
    text = "ResultCode=0000\r\nTerminalID=001F67A1B2C3\r\n"
    exchange(notification("--data", "TerminalID=001F67A1B2C3&ResultCode=0000"),
             notification("--header", "Content-Type: text/plain",
                          "--data-binary", text),
             notification(query="?TerminalID=001F67A1B2C3&area_code=072"),
             to=f"{NOTIFY}:50080")


def mcas_other():
    """requests of no known kind, type 0, and their responses, type 13"""
    answer(settings())
    exchange(["--user-agent", M_CAS, f"http://{APACHE}/"],
             ["--user-agent", M_CAS, "--request", "PUT", "--data",
              "area_code=03", "http://add-con.mcas/"],
             ["--user-agent", M_CAS, "--request", "PUT", "--header",
              "Content-Type: text/plain", "--data-binary",
              "area_code=03\ndscp=32", "http://add-con.mcas/"],
             ["--user-agent", M_CAS, "--request", "OPTIONS",
              "http://add-con.mcas/"], to=APACHE)


# Who is asked, and by whom

def mcas_hosts():
    """hosts in other case, with port, in the target alone, two that differ"""
    exchange(provisioning(host="ADD-CON.MCAS:80"), to=ADD_CON)
    page("/fw/x.bin", noise(10))
    exchange(firmware(path="/fw/x.bin", host="Verup-Mcas.odm00021.flets",
                      agent="curl"),
             firmware(path="/fw/x.bin", header="192.0.2.80"),
             firmware(path="/fw/x.bin", header="www.example.jp", agent="curl"),
             firmware(path="/fw/x.bin", host="verup-mcas.flets"),
             firmware(path="/fw/x.bin", host="verup-mcas.a.odm00022.flets"),
             to=VERUP)
    exchange(provisioning("001F67A1B2C3", "--user-agent", "",
                          "--header", "hOST: add-con.mcas"), to=ADD_CON)


def mcas_user_agents():
    """User-Agents without firmware, carriers, model, parentheses, version"""
    page("/fw/x.bin", noise(10))
    exchange(*(firmware(path="/fw/x.bin", agent="M-CAS/" + rest) for rest in (
        "7.0 (RTS300HI 4.02.0179; NTTWEST)", "7.0 (PR-200NE 10.30; )",
        "7.0 (RT-200KI)", "7.0 ()", "7.0 (RV-230NE 2.01", "7.0 RT-200NE",
        "7.0 (Home Gateway 1.2; NTTEAST / NTTWEST/)", "7.0", "")), to=VERUP)


def mcas_devices():
    """three devices of two makers, each with its own number, firmware after"""
    terminals = ["001F67A1B2C3", "00022BA1B2C4", "001F67A1B2C5"]
    for n, terminal in enumerate(terminals):
        answer(settings(ip_addr=f"172.20.184.{194 + 4 * n}",
                        gateway=f"172.20.184.{193 + 4 * n}",
                        ip_tel_num=f"07221234{56 + n}"), terminal=terminal)
    page("/fw/VG820a/vg820a.bin", noise(500))
    for device, terminal in zip(DEVICES, terminals):
        exchange(provisioning(terminal, "--interface", device), to=ADD_CON)
    for device in DEVICES:
        exchange(firmware("--interface", device, path="/fw/VG820a/vg820a.bin",
                          agent="M-CAS/7.0 (VG820a 1.00; NTTEAST)"), to=VERUP)


def mcas_terminal_id():
    """terminal ids: masked, lower case, too short, too long, separated"""
    ids = ["001F67XXXXXX", "001f67a1b2c3", "XXXXXXXXXXXX", "001F67", "001F6",
           "001F67A1B2C3D4", "00:1F:67:A1:B2:C3", "terminal", "",
           "00022B******"]
    exchange(*map(provisioning, ids), to=ADD_CON)


# How the messages travel

def mcas_chunked():
    """chunked answers of nginx: settings and image"""
    exchange(provisioning(), firmware(connection="add-con.mcas"), to=CHUNKED)


def mcas_chunk_borders():
    """chunk borders inside keys, values and line ends: Apache, bucketeer"""
    borders = [b"Result\x10Code=00\x1000\r\n", b"ip_addr=172.2\x100.184.194\r",
               b"\x10\nnetmask=30\r\n\x10gateway=172.20.184.193\x10\r\n",
               b"sipsv_addr=121.0.34.41\r\nsipsv_port\x10=50\x106\x100\r\n",
               b"ip_tel_num=072\x102123456\r\nunknown\x10=va\x10lue\r\n"]
    answer(b"".join(borders), length=False)
    exchange(provisioning(), to=BORDERS)


def mcas_chunked_request():
    """a form sent in chunks"""
    exchange(provisioning("001F67A1B2C3", "--header",
                          "Transfer-Encoding: chunked"), to=ADD_CON)


def mcas_until_close():
    """answers without a length, until the server closes: settings, image"""
    exchange(provisioning(), to=UNTIL_CLOSE)
    exchange(firmware(), to=UNTIL_CLOSE)


def mcas_http_1_0():
    """HTTP/1.0 without keep-alive, settings until close: Apache"""
    answer(settings(), length=False)
    exchange(provisioning("001F67A1B2C3", "--http1.0", "--header",
                          "Connection: close"), to=ADD_CON)


def mcas_gzip():
    """answers in gzip coding: settings and image"""
    exchange(provisioning("001F67A1B2C3", "--compressed"),
             firmware("--compressed", "--request-target", IMAGE), to=GZIP)
    exchange(provisioning("001F67A1B2C3", "--compressed"), to=NGINX)


def mcas_identity():
    """Content-Encoding: identity, which is no coding"""
    answer(settings(), "Content-Encoding: identity")
    exchange(provisioning(), to=ADD_CON)


def mcas_keepalive_web():
    """web pages before, between and after M-CAS on one connection"""
    aside = browse("/page.html", "--header", "Host: www.example.jp",
                   host="add-con.mcas")
    exchange(aside, provisioning(), aside, aside,
             firmware(connection="add-con.mcas"), aside, to=ADD_CON)


def mcas_pipelined():
    """two requests in one segment, then three of which one is a web page's"""
    send(ADD_CON, POST + POST)
    send(ADD_CON, POST + GET + POST)


def mcas_pipelined_split():
    """pipelined requests whose segments end inside a head and inside a form"""
    all_three, cuts = POST + GET + POST, (100, len(POST) + 30, -20)
    send(ADD_CON, *(all_three[start:end] for start, end in
                    zip((0, *cuts), (*cuts, None))))


def mcas_continue():
    """Expect: 100-continue, twice on one connection"""
    expect = provisioning("001F67A1B2C3", "--header", "Expect: 100-continue")
    exchange(expect, expect, to=ADD_CON)


def mcas_early_answer():
    """Expect: 100-continue; nginx answers before it has the form"""
    exchange(provisioning("001F67A1B2C3", "--header", "Expect: 100-continue"),
             to=NGINX)


def mcas_odd_port():
    """M-CAS and a web page on port 8081, which no protocol claims"""
    host = "add-con.mcas:8081"
    exchange(provisioning(host=host),
             browse("/page.html", "--header", "Host: www.example.jp",
                    host=host),
             provisioning(host=host), to=f"{APACHE}:8081")


def mcas_connect():
    """CONNECT by a device: the tunnel's content is nobody's M-CAS"""
    exchange(["--proxytunnel", "--proxy", f"http://{PROXY}:80",
              "--proxy-header", "User-Agent: " + M_CAS, *provisioning()],
             to=f"{ADD_CON}:80")


def mcas_upgrade():
    """Upgrade to WebSocket by a device: what follows is no M-CAS"""
    asyncio.run(websocket("ws://add-con.mcas/", M_CAS, POST.decode(),
                          settings().decode()))


# What the values are

def mcas_failure():
    """result codes but 0000: numbers, text, masked, empty; 0000 and another"""
    for code in "0010", "9999", "00000", "0", "ABCD", "XXXX", "", "123456":
        answer(crlf(f"ResultCode={code}"))
        exchange(provisioning(), to=ADD_CON)
    answer(crlf("ResultCode=0000", "ResultCode=0010"))
    exchange(provisioning(), to=ADD_CON)


def mcas_invalid():
    """values of every typed key that do not parse"""
    address = ["300.20.184.194", "172.20.184", "172.020.184.194", "localhost",
               "172.20.184.194 ", " 172.20.184.194", "172.20.184.194/30",
               "2001:db8::1", "0xac14b8c2", ""]
    port = ["65536", "-1", "+5060", "5060 ", "sip", "5060/udp", "50.6", "0x10",
            "99999999999", ""]
    bad = {"ip_addr": address, "gateway": address, "sipsv_addr": address,
           "regsv_addr": address, "sipsv_port": port, "regsv_port": port,
           "rtpport1": port, "rtpport2": port,
           "netmask": ["33", "255.255.255.252", "/30", "-1", ""],
           "dscp": ["64", "CS4", "0x20", "256", "-1", ""],
           "ResultCode": ["65536", "0000 ", "00 00", "-1", ""],
           "ip_tel_num65536": ["0722123456"], "ip_tel_numX": ["0722123456"]}
    lines = [f"{key}={value}" for key in bad for value in bad[key]]
    answer(crlf("ResultCode=0000", *lines))
    exchange(provisioning(), to=ADD_CON)


def mcas_limits():
    """smallest and largest values that parse, leading zeros"""
    answer(settings(ip_addr="0.0.0.0", gateway="0.0.0.1", netmask="0",
                    sipsv_addr="255.255.255.255", sipsv_port="65535",
                    regsv_port="0", dscp="0", rtpport1="0", rtpport2="65535"))
    exchange(provisioning(), to=ADD_CON)
    answer(settings(ResultCode="00000", netmask="32", dscp="63",
                    gateway="172.20.184.194", sipsv_port="0000005060"))
    exchange(provisioning(), to=ADD_CON)


def mcas_unknown():
    """unknown keys, lines without =, without a key, with several ="""
    answer(settings("no equals sign", "=value without a key", "a=b=c", "=",
                    " ip_addr=172.20.184.198", "ip_addr =172.20.184.198",
                    "ip_addr: 172.20.184.198", "tab\there=1",
                    vlan="100", ntp_addr="192.0.2.123", empty=""))
    exchange(provisioning(), provisioning(form="TerminalID=%s&colour=red&x&="
                                          "&&=y&a=b=c"), to=ADD_CON)


def mcas_repeated():
    """keys that occur twice, with different values"""
    answer(settings("ip_addr=172.20.184.198", "sipsv_port=5070", "dscp=46",
                    "sip_domain=sip.example.jp"))
    exchange(provisioning(form="TerminalID=%s&TerminalID=00022BA1B2C4"),
             to=ADD_CON)


def mcas_inconsistent():
    """RTP ports in the wrong order, a gateway outside the device's network"""
    for change in ({"rtpport1": "5035", "rtpport2": "5004"},
                   {"gateway": "172.20.184.197"},
                   {"gateway": "192.0.2.1", "rtpport1": "5036"}):
        answer(settings(**change))
        exchange(provisioning(), to=ADD_CON)


def mcas_missing():
    """successful answers that lack address, SIP server, number, all three"""
    lacks = ({"ip_addr": None}, {"sipsv_addr": None}, {"ip_tel_num": None},
             dict.fromkeys(["ip_addr", "sipsv_addr", "ip_tel_num"]),
             {"ip_tel_num": None, "ip_tel_num2": "0722123457"},
             {"ResultCode": None, "ip_addr": None})
    for keys in lacks:
        answer(settings(**keys))
        exchange(provisioning(), to=ADD_CON)


def mcas_routes():
    """route lists: host bits or none, invalid, masked and empty entries"""
    for routes in ("192.0.2.0/24&198.51.100.128/25", "203.0.113.1/32",
                   "192.0.2.1/24&203.0.113.0", "192.0.2.0/33&&192.0.2.0/24",
                   "220.210.XX.0/22&220.210.33.0/22", "0.0.0.0/0", "&", "",
                   "192.0.2.0/255.255.255.0", "192.0.2.0/24,192.0.2.0/24"):
        answer(settings(dest_nw_addr=routes))
        exchange(provisioning(), to=ADD_CON)


def mcas_credentials():
    """user names and passwords: in clear text, masked, one of the two"""
    for user, password in (("0722123456", "s3cret=&%41"), ("XXXX", "****"),
                           ("user", ""), ("", "p w")):
        answer(settings(username=user, password=password))
        exchange(provisioning(), to=ADD_CON)


def mcas_numbers():
    """several subscriber numbers, with indices, leading zeros, masked"""
    answer(settings(ip_tel_num="0722123456", ip_tel_num1="0722123457",
                    ip_tel_num2="0722123458", ip_tel_num10="XXXXXXXXXX",
                    ip_tel_num003="+81722123459", ip_tel_num65535="",
                    ip_tel_num000000="0722123450"))
    exchange(provisioning(), to=ADD_CON)


def mcas_bigip():
    """persistence cookies of all five forms, malformed ones, and returned"""
    long4, long6 = "0" * 20 + "ffffc0000201", "20010112" + "0" * 22 + "30"
    cookies = ["addcon_http=944474890.20480.0000", f"v6=vi{long6}.20480",
               f"v6end=vi{long6}.20480.0000", f"domain=rd5o{long4}o80",
               f"domain6=rd3o{long6}o80", "secret=!dGhpcyBpcyBzZWNyZXQ9Pg==",
               "=944474890.20480.0000", "masked=9444XXXXX.20480.0000",
               "wide=4294967296.20480.0000", "port=944474890.65536.0000",
               "text=unreadable", "empty=", f"short=vi{long6[1:]}.20480",
               "~Common~pool=33663168.36895.0000"]
    answer(settings(), *(COOKIE % cookie for cookie in cookies),
           "Set-Cookie: session=944474890.20480.0000",
           "Set-Cookie: bigipserverlower=944474890.20480.0000")
    exchange(provisioning("001F67A1B2C3", "--cookie", "a=b; BIGipServer"
                          + cookies[0] + f"; BIGipServer{cookies[3]};c=d"),
             to=ADD_CON)


def mcas_line_ends():
    """lines ended by LF, the last not ended, blank lines, CR alone"""
    lines = settings()
    for body in (lines.replace(b"\r\n", b"\n"), lines[:-2],
                 lines.replace(b"\r\n", b"\n")[:-1],
                 b"\r\n" + lines.replace(b"\r\n", b"\r\n\n\r\n"),
                 lines.replace(b"netmask=30\r\n", b"netmask=30\r"),
                 lines.replace(b"netmask=30\r\n", b"netmask=30\r\r\n"), b"",
                 b"\r\n"):
        answer(body)
        exchange(provisioning(), to=ADD_CON)
    exchange(provisioning(form="TerminalID=%s\r\n"),
             provisioning(form="CompanyCode=&\r\nTerminalID=%s\n"),
             to=ADD_CON)


def mcas_key_case():
    """keys and header names in other case"""
    answer(settings().upper().replace(b"RESULTCODE", b"resultcode"))
    send(ADD_CON, request("POST / HTTP/1.1", "user-agent: " + M_CAS,
                          "HOST: add-con.mcas", "content-TYPE: application/"
                          "X-WWW-form-urlencoded",
                          body=b"companycode=&TERMINALID=001f67a1b2c3"))


def mcas_masked():
    """every value masked, in the answer and in the form"""
    mask = {line.partition("=")[0]: "XX" for line in PROVISIONING.split()}
    mask |= {"ip_addr": "172.20.XX.XX", "gateway": "***.**.***.***",
             "netmask": "xx", "dest_nw_addr": "220.210.XX.0/XX&XX",
             "sipsv_addr": "121.0.xx.41", "regsv_addr": "XXX-X-XX-XX",
             "sipsv_port": "50XX", "dscp": "**"}
    answer(settings(**mask), COOKIE % "addcon_http=XXXXXXXXX.20480.0000")
    exchange(provisioning("001F67******", form="CompanyCode=XXXX&ServiceCode="
                          "**&ControlCode=x&TerminalID=%s"), to=ADD_CON)


def mcas_form_values():
    """form values: the three codes filled, percent-encoded, broken percents"""
    exchange(provisioning(form="CompanyCode=NTT%20East&ServiceCode=a+b"
                          "&ControlCode=%26%3d%25&Terminal%49D=%s"),
             provisioning(form="CompanyCode=100%&ServiceCode=%zz%4"
                          "&ControlCode=%E9%9B%BB&TerminalID=%30%301F67%41"),
             provisioning("001F67A1B2C3", "--request-target",
                          "/?CompanyCode=7&service%43ode=8"), to=ADD_CON)


def mcas_media_types():
    """media types: other or none, and the right body under the wrong one"""
    for media_type, body in (("application/octet-stream", settings()),
                             ("text/html", settings()), (None, settings()),
                             ("TEXT/Plain", settings(ResultCode=None)),
                             ("text/html", settings(ResultCode=None)),
                             ("application/x-www-form-urlencoded",
                              settings(ResultCode=None))):
        answer(body, media_type=media_type)
        exchange(provisioning(), to=ADD_CON)
    for media_type in ("Content-Type:", "Content-Type: application/json",
                       "Content-Type: application/x-www-form-urlencoded; a=b"):
        exchange(provisioning("001F67A1B2C3", "--header", media_type),
                 notification("--header", media_type, "--data", "dscp=32"),
                 to=APACHE)


def mcas_charsets():
    """Shift_JIS, EUC-JP, UTF-8 and ISO-8859-1: declared, not declared, and
    declared wrongly, in answers and in a form"""
    name = "ひかり電話"
    for charset, encoding in (("Shift_JIS", "cp932"), ("euc-jp", "euc_jp"),
                              ('"UTF-8"', "utf_8"), ("UTF-8", "cp932"),
                              ("Shift_JIS", "utf_8"), ("x-unknown", "utf_8"),
                              ("ISO-8859-1", "utf_8"), (None, "euc_jp")):
        value = name.encode(encoding) + b"~\\ (1)"
        media_type = "text/plain"
        media_type += f"; charset={charset}" if charset else ""
        answer(settings() + b"area_code=" + value + b"\r\n",
               media_type=media_type)
        form = "application/x-www-form-urlencoded"
        form += f"; charset={charset}" if charset else ""
        escaped = "".join(f"%{byte:02X}" for byte in value)
        exchange(provisioning("001F67A1B2C3", "--header",
                              f"Content-Type: {form}",
                              form=f"TerminalID=%s&CompanyCode={escaped}"),
                 to=ADD_CON)


def mcas_framing_unclear():
    """headers that do not agree on where the body ends; two that do"""
    form = b"TerminalID=001F67A1B2C3"
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form)
    coding, length = "Transfer-Encoding: ", "Content-Length: "
    for header, body in (([length + "23", length + "23"], form),
                         ([length + "24", length + "23"], form),
                         ([length + "x", length + "23"], form),
                         ([coding + "chunked", length + "23"], chunks),
                         ([length + "34", coding + "chunked"], chunks),
                         ([coding + "chunked, chunked"], chunks)):
        head = crlf("POST / HTTP/1.1", "Host: add-con.mcas", *header, "")
        reply = crlf("HTTP/1.1 200 OK", *header, "")
        answer = crlf("ResultCode=0010")
        answer += b" " * (23 - len(answer))
        if body is chunks:
            answer = b"%x\r\n%s\r\n0\r\n\r\n" % (len(answer), answer)
        converse(head + body, reply + answer)


def mcas_statuses():
    """statuses 503 and 200 with a page of HTML, 302, 204, 500 with settings"""
    for status, kind, body in (
            ("503 Service Unavailable", "text/html", prose(300)),
            ("200 OK", "text/html", prose(300)),
            ("302 Found", "text/html", prose(100)),
            ("204 No Content", None, b""),
            ("500 Internal Server Error", "text/plain",
             crlf("ResultCode=9001"))):
        answer(body, status=status, media_type=kind, length=bool(body))
        exchange(provisioning(), provisioning(), to=ADD_CON)


# What the capture has not

def three_provisionings():
    for n in 1, 2, 3:
        answer(settings(ip_tel_num=f"072200000{n}"),
               terminal=f"001F6700000{n}")
    exchange(*(provisioning(f"001F6700000{n}") for n in (1, 2, 3)),
             to=ADD_CON)


def mcas_unmatched():
    """a response whose request was taken away"""
    exchange(provisioning(), to=ADD_CON)
    return without("http.request")


def mcas_unmatched_kinds():
    """without requests: settings in other case, chunked, gzip; a web page"""
    answer(settings().replace(b"ResultCode", b"RESULTCODE"))
    exchange(provisioning(), to=ADD_CON)
    answer(settings(ResultCode=None))
    exchange(provisioning(), to=ADD_CON)
    answer(settings())
    exchange(provisioning(), to=CHUNKED)
    exchange(provisioning("001F67A1B2C3", "--compressed"), to=GZIP)
    exchange(browse(), to=APACHE)
    return without("http.request")


def mcas_lost_request():
    """three exchanges on one connection, the second request taken away"""
    three_provisionings()
    return without('http.request and frame contains "001F67000002"')


def mcas_lost_response():
    """three exchanges on one connection, the second response taken away"""
    three_provisionings()
    return without('http.response and frame contains "0722000002"')


def mcas_lost_segment():
    """one segment in the middle of an image taken away, settings after it"""
    exchange(firmware(connection="add-con.mcas"), provisioning(), to=ADD_CON)
    return without("tcp.srcport == 80 and tcp.seq > 14000"
                   " and tcp.seq < 15400 and tcp.len > 0")


def mcas_midstream():
    """the capture begins inside an image; settings follow on the connection"""
    exchange(firmware(connection="add-con.mcas"), provisioning(),
             provisioning(), to=ADD_CON)
    return without("frame.number < 20")


def mcas_truncated():
    """frames cut at 600 bytes, inside the settings and inside the image"""
    exchange(provisioning(), to=ADD_CON)
    exchange(firmware(), to=VERUP)
    return cut(600)


def mcas_truncated_head():
    """frames cut at 260 bytes, inside the form and inside a response's head"""
    exchange(provisioning(), to=ADD_CON)
    return cut(260)


# The LAN side: phones and their gateway

EXTENSION = crlf("ResultCode=0000", "ip_tel_num=3", "username=0003",
                 "password=Zx81Spectrum", "rtpport1=", "rtpport2=", "dscp=46",
                 "sipsv_addr=192.168.1.1", "sipsv_port=5060",
                 "regsv_addr=192.168.1.1", "regsv_port=5060",
                 "sip_domain=ntt.setup")
ASK = "id=001F67A1B2C3&ip_tel_num=3&term_type=1"
PUSH = ("ip_tel_num=4&sip_domain=ntt.setup&sipsv_addr=192.168.1.1"
        "&username=0004&password=p%40ss+word%25")


def mcas_lan_list():
    """extension lists: with and without slash, absolute, keys of any name,
    empty, masked, refused, an error page"""
    lists = ["tel_list=3,4,5", "ip_tel_num=6", "", "LIST=", "x=X,7,,8",
             "3,4"]
    for line in lists:
        answer(crlf("ResultCode=0000", line))
        exchange(ask_gateway("/cas_tel_list/"), to=APACHE)
    answer(crlf("resultcode=0010", "tel_list=", "area_code=03", "y=1"))
    exchange(ask_gateway("/cas_tel_list"),
             ask_gateway("/", "--request-target",
                         "http://ntt.setup/cas_tel_list/"), to=APACHE)
    answer(b"<html>busy</html>", status="503 Service Unavailable",
           media_type="text/html")
    exchange(ask_gateway("/cas_tel_list/"), to=APACHE)


def mcas_lan_configuration():
    """extension configurations by PUT and POST, asked twice as clients do, a
    form said to be JSON with a stray brace, one already taken"""
    answer(EXTENSION)
    put = ["--request", "PUT", "--data", ASK]
    exchange(ask_gateway("/cas_tel_conf/", *put),
             ask_gateway("/cas_tel_conf/", *put),
             ask_gateway("/cas_tel_conf", "--data", ASK),
             ask_gateway("/cas_tel_conf/", "--header",
                         "Content-Type: application/json", "--data",
                         ASK + "}"), to=APACHE)
    answer(crlf("ResultCode=0010"))
    exchange(ask_gateway("/cas_tel_conf/", *put), to=APACHE)
    answer(EXTENSION.replace(b"0000", b"0000\r\nterm_type=1\r\nid=00022B000001"))
    exchange(ask_gateway("/cas_tel_conf/?id=00022BXXXXXX&term_type=x",
                         *put), to=APACHE)


def mcas_lan_push():
    """setup pushes to port 8989, as a form and as a query"""
    answer(crlf("ResultCode=0000"))
    phone = {"host": "phone.example.jp"}
    exchange(ask_gateway("/voip_setup.cgi", "--data", PUSH, **phone),
             ask_gateway("/voip_setup.cgi?" + PUSH, **phone),
             ask_gateway("/voip_setup.cgi/", "--data", "sipsv_addr=X.X.X.X",
                         **phone), to=f"{APACHE}:8989")
    answer(b"", media_type=None)
    exchange(ask_gateway("/voip_setup.cgi", "--data", PUSH, **phone),
             to=f"{APACHE}:8989")


def mcas_lan_unmatched():
    """an extension's configuration whose request was taken away"""
    answer(EXTENSION.replace(b"ResultCode", b"resultcode"))
    exchange(ask_gateway("/cas_tel_conf/", "--data", ASK), to=APACHE)
    return without("http.request")


# What follows from an answer

def mcas_learned():
    """SIP on an odd port over UDP and TCP, RTP of a call whose signalling was
    taken away and of one with it, an update notification: as the settings
    before them say"""
    answer(settings(ip_addr=DEVICES[2], netmask="29", gateway="10.212.33.14",
                    sipsv_addr=SIP_SERVER, regsv_addr=SIP_SERVER,
                    sipsv_port="5070", regsv_port="5072",
                    url_update_cas=f"http://{NOTIFY}:50080"
                                   "/verup/notify.cgi"))
    exchange(provisioning(), to=ADD_CON)
    (RUN / "voice").write_bytes(bytes([0xff]) * 1600)  # silence, 200 ms
    call("lost", rtp_port=5004)
    call("heard", rtp_port=5004)
    call("tcp", "-t", "t1", rtp_port=5006)
    answer(crlf("ResultCode=0000"))
    exchange(notification("--data", "TerminalID=001F67A1B2C3"),
             to=f"{NOTIFY}:50080")
    return without('sip.Call-ID contains "lost"')
