"""Ordinary traffic, none of it M-CAS, each session a capture of its name."""

import asyncio

from .steps import *


# Bodies

def web_segments():
    """a page of 60,000 bytes in 43 segments, by Content-Length"""
    page("/long.html", prose(60000))
    exchange(browse("/long.html"), to=APACHE)


def web_chunked():
    """a page of 60,000 bytes in chunks, then a short one"""
    page("/long.html", prose(60000))
    exchange(browse("/long.html"), browse(), to=CHUNKED)


def web_gzip():
    """pages in gzip coding, in chunks, from Apache and from nginx"""
    page("/long.html", prose(30000))
    exchange(browse("/long.html", "--compressed"),
             browse("/page.html", "--compressed"), to=GZIP)
    exchange(browse("/long.html", "--compressed"), to=NGINX)


def web_until_close():
    """a page of 20,000 bytes until the server closes"""
    page("/long.html", prose(20000))
    exchange(browse("/long.html"), to=UNTIL_CLOSE)


def web_upload():
    """a form of 20,000 bytes, a multipart form, and an upload in chunks"""
    file = RUN / "upload.bin"
    file.write_bytes(noise(20000))
    answer(b"thank you\r\n", media_type="text/plain")
    exchange(browse("/", "--data", "text=" + "denwa+" * 3333),
             browse("/", "--form", "name=value", "--form", f"file=@{file}"),
             browse("/", "--header", "Transfer-Encoding: chunked",
                    "--upload-file", str(file)), to=BORDERS)


def web_continue():
    """Expect: 100-continue, from Apache, then answered early by nginx"""
    answer(b"thank you\r\n")
    expect = "--header", "Expect: 100-continue", "--data", "a=1"
    exchange(browse("/page.html", *expect), browse("/absent.html", *expect),
             to=APACHE)
    exchange(browse("/page.html", *expect), to=NGINX)


# Exchanges

def web_errors():
    """404, 405, 501, 416, 301, HEAD, 304, and malformed requests"""
    exchange(browse("/absent.html"),
             browse("/page.html", "--request", "DELETE"),
             browse("/page.html", "--request", "BREW"),
             browse("/page.html", "--range", "9000-"),
             browse("/old.html", "--location"),
             browse("/page.html", "--head"),
             browse("/page.html", "--header",
                    "If-Modified-Since: Sun, 01 Jan 2012 00:00:00 GMT"),
             to=APACHE)
    send(APACHE, request("GET no slash HTTP/1.1"))
    send(NGINX, b"GET / HTTP/9.9\r\n\r\n")


def web_pipelined():
    """four requests in one segment, then segments that cut two others"""
    send(APACHE, GET * 4)
    send(NGINX, GET + GET[:20], GET[20:])


def web_many():
    """twenty pages on one connection"""
    exchange(*[browse()] * 20, to=NGINX)


def web_midstream():
    """the capture begins inside a page of many segments"""
    page("/long.html", prose(30000))
    exchange(browse("/long.html"), browse(), to=APACHE)
    return without("frame.number < 12")


def web_lost_segment():
    """one segment in the middle of a page taken away"""
    page("/long.html", prose(30000))
    exchange(browse("/long.html"), browse(), to=APACHE)
    return without("tcp.srcport == 80 and tcp.seq > 14000"
                   " and tcp.seq < 15400 and tcp.len > 0")


def web_truncated():
    """frames cut at 200 bytes"""
    page("/long.html", prose(10000))
    exchange(browse("/long.html"),
             browse("/", "--data", "a=" + "b" * 300), to=APACHE)
    return cut(200)


# What is not HTTP after all, or not for long

def web_connect():
    """CONNECT through a proxy on port 80, with HTTP, then TLS, inside"""
    tunnel = ["--proxytunnel", "--proxy", f"http://{PROXY}:80", "--insecure"]
    exchange(browse("/page.html", *tunnel), to=f"{NGINX}:80")
    exchange([*tunnel, "https://www.example.jp/page.html"], to=f"{TLS}:443")


def web_websocket():
    """Upgrade to WebSocket; messages that look like HTTP and like M-CAS"""
    asyncio.run(websocket("ws://www.example.jp/", BROWSER, "hello",
                          POST.decode(), settings().decode(), "x" * 5000))


def web_http2():
    """HTTP/2 with prior knowledge, on port 80 of nginx"""
    # Two connections, since curl 7.88 fails to use one twice this way.
    for path in "/page.html", "/absent.html":
        exchange(browse(path, "--http2-prior-knowledge"), to=HTTP2)


def web_h2c():
    """HTTP/1.1 upgraded to h2c, on port 80 of Apache"""
    exchange(browse("/page.html", "--http2"), to=H2C)


def web_tls():
    """TLS on port 80"""
    exchange(["--insecure", "https://www.example.jp/page.html"],
             to=f"{TLS}:80")


def web_not_http():
    """on port 80: SSH's greeting, random bytes, lines of text, zeros"""
    converse(b"SSH-2.0-OpenSSH_9.2p1\r\n", b"SSH-2.0-OpenSSH_9.2p1\r\n",
             b"\0\0\4\4\7\x14" + noise(1100), noise(900, 1))
    converse(noise(3000, 2), noise(3000, 3))
    converse(b"HELO example.jp\r\n", b"250 mail.example.jp\r\n",
             b"ResultCode=0000\r\n", b"TerminalID=001F67A1B2C3\r\n")
    converse(bytes(2000), bytes(10))


# What looks like M-CAS and is not

PAY = ("--data", "ShopID=100&TerminalID=001F67A1B2C3&ServiceCode=card")
PAID = crlf("ResultCode=0000", "AuthCode=482913", "username=shop",
            "password=secret", "dscp=32")

def web_payment():
    """a payment service: a form answered with ResultCode=0000"""
    answer(PAID)
    exchange(browse("/", *PAY, host="pay.example.jp"),
             browse("/status", host="pay.example.jp"), to=APACHE)


def web_payment_early():
    """the same, answered by nginx before it has the form"""
    answer(PAID)
    exchange(browse("/", *PAY, "--header", "Expect: 100-continue",
                    host="pay.example.jp"), to=NGINX)


def web_mentions():
    """pages, forms, queries, headers that mention M-CAS's hosts and keys"""
    page("/mcas.html", b"<p>POST / HTTP/1.1<br>Host: add-con.mcas<br>"
         b"User-Agent: M-CAS/1.0<p>TerminalID=001F67A1B2C3\n"
         b"GET http://verup-mcas.odm00015.flets/download/fw/ HTTP/1.1\n")
    page("/mcas.txt", POST + settings())
    page("/fw/x.bin", noise(100))
    exchange(browse("/mcas.html", "--referer", "http://add-con.mcas/"),
             browse("/mcas.txt", "--header", "X-User-Agent: M-CAS/1.0"),
             browse("/page.html?host=add-con.mcas&TerminalID=001F67A1B2C3"),
             browse("/page.html", "--data", "TerminalID=001F67A1B2C3"
                    "&Host=verup-mcas.odm00015.flets&agent=M-CAS/1.0"),
             browse("/fw/x.bin"), browse("/add-con.mcas"),
             browse("/page.html", "--user-agent", "Mozilla/5.0 (M-CAS/1.0)"),
             browse("/page.html", "--user-agent", "m-cas/1.0"),
             browse("/page.html", "--user-agent", "M-CAS"),
             browse("/verup/notify.cgi", "--cookie",
                    "BIGipServeraddcon_http=944474890.20480.0000"), to=APACHE)
    for host in ("add-con.mcas.example.jp", "www.add-con.mcas",
                 "verup-mcas", "my.verup-mcas.flets", "xverup-mcas.flets"):
        exchange(browse("/page.html", host=host),
                 browse("/", "--data-binary", POST.decode(), host=host),
                 to=APACHE)


def web_other_ports():
    """ordinary HTTP on ports 8888 and 50080"""
    for port in 8888, 50080:
        host = f"www.example.jp:{port}"
        exchange(browse(host=host), browse("/verup/notify.html", host=host),
                 browse("/", "--data", "TerminalID=001F67A1B2C3", host=host),
                 to=f"{APACHE}:{port}")
    converse(noise(200), noise(300, 1), port=50080)


def web_lan_look_alikes():
    """paths of other devices that look like those of the LAN side"""
    answer(crlf("ResultCode=0000", "tel_list=3,4,5"))
    login = "username=admin&password=admin&id=1&term_type=1"
    exchange(browse("/cas_tel_list.html", host="ntt.setup"),
             browse("/cas_tel_lists/", host="ntt.setup"),
             browse("/x/cas_tel_list/", host="ntt.setup"),
             browse("/cas_tel_list/1", host="ntt.setup"),
             browse("/cas_tel_list/", "--data", "id=1", host="ntt.setup"),
             browse("/cas_tel_conf/?id=1&ip_tel_num=3", host="ntt.setup"),
             browse("/cas_tel_conf/", "--data", login, host="ntt.setup"),
             browse("/?/cas_tel_list/", host="ntt.setup"), to=APACHE)
    exchange(browse("/voip_setup.cgi", host="phone.example.jp"),
             browse("/voip_setup.cgi", "--data", login,
                    host="phone.example.jp"), to=f"{APACHE}:8989")
