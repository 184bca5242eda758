//! Turns the settings that a gateway or a phone was given into a pjsip.conf,
//! for those who let Asterisk take its place:
//!
//!     curl -si --raw -d 'id=001F67A1B2C3&ip_tel_num=3&term_type=1' \
//!         http://ntt.setup/cas_tel_conf/ | cargo run --example pjsip
//!
//! What is odd about the settings goes to standard error.

use mcas::format::Style;
use mcas::notes::Severity;
use mcas::{Context, Field, Item, Note, Value};
use std::error::Error;
use std::io::{self, Read};
use std::net::Ipv4Addr;
use std::process::ExitCode;

/// What it takes to make and to receive calls.
#[derive(Debug, Default)]
struct Settings {
    result: Option<u64>,
    number: String,
    domain: String,
    server: Option<Ipv4Addr>,
    server_port: Option<u64>,
    registrar: Option<Ipv4Addr>,
    registrar_port: Option<u64>,
    user: String,
    password: String,
    /// The byte for the IP header, such as `0xb8`.
    tos: String,
}

impl Settings {
    /// Takes over what an item says, read from `body`. Values that do not
    /// read as their type never come as these fields.
    fn take(&mut self, item: &Item, body: &[u8]) {
        let (Some(field), Some(value)) = (item.as_field(), item.value())
        else {
            return;
        };
        let text = || item.format(body, Style::Value).to_string();
        match (field, value) {
            (Field::ResultCode, Value::Number(n)) => self.result = Some(n),
            // The main number comes first, others of the line behind it.
            (Field::IpTelNum, _) if self.number.is_empty() => {
                self.number = text();
            }
            (Field::SipDomain, _) => self.domain = text(),
            (Field::SipsvAddr, Value::Ipv4(a)) => self.server = Some(a),
            (Field::SipsvPort, Value::Number(n)) => {
                self.server_port = Some(n);
            }
            (Field::RegsvAddr, Value::Ipv4(a)) => self.registrar = Some(a),
            (Field::RegsvPort, Value::Number(n)) => {
                self.registrar_port = Some(n);
            }
            (Field::Username, _) => self.user = text(),
            (Field::Password, _) => self.password = text(),
            (Field::DscpTos, _) => self.tos = text(),
            _ => {}
        }
    }

    fn pjsip_conf(&self) -> Result<String, Box<dyn Error>> {
        let number = quote(&self.number)?;
        let domain = quote(&self.domain)?;
        let server = self.server.ok_or("no SIP server")?;
        let server_port = self.server_port.unwrap_or(5060);
        let registrar = self.registrar.unwrap_or(server);
        let registrar_port = self.registrar_port.unwrap_or(server_port);
        if number.is_empty() || domain.is_empty() {
            return Err("no number, or no domain".into());
        }
        let mut registration = format!(
            "type = registration\n\
             client_uri = sip:{number}@{domain}\n\
             server_uri = sip:{domain}\n\
             outbound_proxy = sip:{registrar}:{registrar_port}\\;lr\n\
             contact_user = {number}\n"
        );
        let mut endpoint = format!(
            "type = endpoint\n\
             context = from-hikari\n\
             aors = hikari\n\
             from_user = {number}\n\
             from_domain = {domain}\n\
             outbound_proxy = sip:{server}:{server_port}\\;lr\n"
        );
        if !self.tos.is_empty() {
            endpoint += &format!("tos_audio = {}\n", self.tos);
        }
        let mut sections = vec![];
        // The operator's servers know a line by its address instead.
        if !self.password.is_empty() {
            let (user, password) =
                (quote(&self.user)?, quote(&self.password)?);
            sections.push(format!(
                "type = auth\n\
                 auth_type = userpass\n\
                 username = {user}\n\
                 password = {password}\n"
            ));
            registration += "outbound_auth = hikari\n";
            endpoint += "outbound_auth = hikari\n";
        }
        sections.push(registration);
        sections.push(endpoint);
        sections.push(format!("type = aor\ncontact = sip:{domain}\n"));
        sections.push(format!(
            "type = identify\nendpoint = hikari\nmatch = {server}\n"
        ));
        Ok(sections
            .iter()
            .map(|section| format!("[hikari]\n{section}"))
            .collect::<Vec<_>>()
            .join("\n"))
    }
}

/// A value as Asterisk's files want it. They come off the wire: one with a
/// line end in it would be a line of its own.
fn quote(value: &str) -> Result<String, Box<dyn Error>> {
    if value.chars().any(char::is_control) {
        return Err(format!("control characters in {value:?}").into());
    }
    Ok(value.replace(';', "\\;"))
}

fn run() -> Result<(), Box<dyn Error>> {
    let mut input = vec![];
    io::stdin().read_to_end(&mut input)?;

    // Nobody saw its request, and nothing comes behind it.
    let context =
        Context { flags: mcas::message::END_OF_STREAM, ..Context::default() };
    let message = mcas::parse(&input, &context)?;
    let body = message.body_bytes(&input);
    let mut settings = Settings::default();
    for item in message.body_items(&body) {
        let chat = |note: &Note| note.info().severity == Severity::Chat;
        if item.as_note().is_some_and(|note| !chat(&note)) {
            eprintln!("{}", item.format(&body, Style::Line));
        }
        settings.take(&item, &body);
    }
    match settings.result {
        Some(0) => print!("{}", settings.pjsip_conf()?),
        Some(code) => return Err(format!("result code {code:04}").into()),
        None => return Err("these are no settings".into()),
    }
    Ok(())
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pjsip: {error}");
            ExitCode::FAILURE
        }
    }
}
