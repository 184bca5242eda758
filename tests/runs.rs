//! Runs of messages, as one direction of a connection may have them: short
//! and long ones, with each part as long as where somebody stops looking.
//!
//! What a run is made of is chosen by bytes, random ones or a fuzzer's, so
//! that a few of them make a long run.

/// Lengths about those that mean something somewhere.
#[rustfmt::skip]
const LENGTHS: &[usize] = &[
    0, 1, 2, 23, 24, 25, 63, 64, 65, 1000, 4080, 4094, 4095, 4096, 4097,
    10_000, 60_000, 65_500, 65_536, 65_600, 70_000, 140_000,
];

/// No longer than that, but for the message that reaches it.
const MOST: usize = 300_000;

#[rustfmt::skip]
const METHODS: &[&str] = &[
    "GET", "POST", "PUT", "HEAD", "CONNECT", "M-SEARCH", "RPC_IN_DATA", "X1",
    "get", "Get",
];

#[rustfmt::skip]
const TARGETS: &[&str] = &[
    "/", "/x?/cas_tel_list/", "*", "http://www.example.jp/a", "//cas_tel_list",
    "/cas_tel_list/", "/cas_tel_conf?id=1&ip_tel_num=2",
    "http://ntt.setup/cas_tel_list", "http://ADD-CON.mcas/",
    "/voip_setup.cgi?sipsv_addr=192.0.2.1", "/verup-mcas.x",
];

#[rustfmt::skip]
const HEADERS: &[&str] = &[
    "Host: www.example.jp", "Host: add-con.mcas", "HOST:verup-MCAS.a.flets",
    "User-Agent: M-CAS/1.0", "User-Agent: m-cas/1.0", "Accept-Charset: x-c",
    "Content-Encoding: gzip", "no colon", "Connection: M-CA",
];

const STATUSES: &[&str] =
    &["100", "101", "102", "199", "042", "200", "200", "204", "404"];

#[rustfmt::skip]
const BODIES: &[&str] = &[
    "ResultCode=0000\r\n", "resultcode=", "ResultCode", "<html>", "abc", "",
    "id=1&ip_tel_num=2", "\r\nPOST / HTTP/1.1\r\nHost: add-con.mcas\r\n\r\n",
];

/// Makes a run out of what is chosen.
pub fn run(choices: &mut impl Iterator<Item = u8>) -> Vec<u8> {
    let mut run = Run { choices, bytes: vec![] };
    while run.bytes.len() < MOST && run.message().is_some() {}
    run.bytes
}

struct Run<'a, I> {
    choices: &'a mut I,
    bytes: Vec<u8>,
}

/// `None` where there is nothing left to choose by.
impl<I: Iterator<Item = u8>> Run<'_, I> {
    fn pick<'t, T: ?Sized>(&mut self, table: &'t [&T]) -> Option<&'t T> {
        Some(table[usize::from(self.choices.next()?) % table.len()])
    }

    fn length(&mut self) -> Option<usize> {
        // Most are short, or there would be nothing but padding.
        let choice = usize::from(self.choices.next()?);
        Some(if choice < 160 { choice % 8 } else { LENGTHS[choice % 22] })
    }

    fn put(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn message(&mut self) -> Option<()> {
        let choice = self.choices.next()?;
        // Blank lines may stand in front of any.
        if choice & 0x80 != 0 {
            self.put(
                ["\r\n", "\n", "\r\n\n\r\n", "\r"]
                    [usize::from(choice >> 5 & 3)],
            );
        }
        let end = if choice & 0x10 == 0 { "\r\n" } else { "\n" };
        match choice % 8 {
            0..=3 => {
                if choice & 8 == 0 {
                    let method = self.pick(METHODS)?;
                    self.put(method);
                } else {
                    let letters = self.length()?;
                    self.put(&"M".repeat(letters.max(1)));
                }
                let spaces = [" ", "  "][usize::from(choice >> 6 & 1)];
                let target = self.pick(TARGETS)?;
                self.put(&format!("{spaces}{target} HTTP/1.1{end}"));
            }
            4..=6 => {
                let status = self.pick(STATUSES)?;
                self.put(&format!("HTTP/1.1 {status} Reason{end}"));
            }
            _ => {
                let garbage = self.pick(BODIES)?;
                self.put(garbage);
            }
        }
        self.headers(end)?;
        self.body(end)
    }

    fn headers(&mut self, end: &str) -> Option<()> {
        let choice = self.choices.next()?;
        for _ in 0..choice % 3 {
            let header = self.pick(HEADERS)?;
            self.put(&format!("{header}{end}"));
        }
        if choice & 0x80 != 0 {
            let padding = "c".repeat(self.length()?);
            self.put(&format!("Cookie: {padding}{end}"));
        }
        Some(())
    }

    /// A body, delimited in one of the ways that there are.
    fn body(&mut self, end: &str) -> Option<()> {
        let choice = self.choices.next()?;
        let mut body = self.pick(BODIES)?.to_owned();
        if choice & 0x80 != 0 {
            body += &"x".repeat(self.length()?);
        }
        match choice % 5 {
            0 => self.put(end),
            1 => {
                let length = body.len();
                self.put(&format!("Content-Length: {length}{end}{end}{body}"));
            }
            // It says that it is longer, or that it is shorter.
            2 => {
                let length = self.length()?;
                self.put(&format!("Content-Length: {length}{end}{end}{body}"));
            }
            _ => {
                self.put(&format!("Transfer-Encoding: chunked{end}{end}"));
                self.chunks(body.as_bytes(), end)?;
            }
        }
        Some(())
    }

    fn chunks(&mut self, body: &[u8], end: &str) -> Option<()> {
        let choice = self.choices.next()?;
        let extension = if choice & 0x80 != 0 {
            format!(";{}", "e".repeat(self.length()?))
        } else {
            String::new()
        };
        // Not so many of them that little else gets its turn.
        let size = usize::from(choice % 16 + 1).max(body.len() / 512);
        for (i, chunk) in body.chunks(size).enumerate() {
            let extension = if i == 0 { &extension } else { "" };
            self.put(&format!("{:x}{extension}{end}", chunk.len()));
            self.bytes.extend_from_slice(chunk);
            self.put(end);
        }
        let trailer = if choice & 0x40 == 0 { "" } else { "T: u\r\n" };
        if choice & 0x20 == 0 || choice & 0x10 == 0 {
            self.put(&format!("0{end}{trailer}{end}"));
        }
        Some(())
    }
}
