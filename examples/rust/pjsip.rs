//! Turns the settings that a gateway or a phone was given into a pjsip.conf,
//! for those who let Asterisk take its place:
//!
//!     curl -si --raw -d 'id=001F67A1B2C3&ip_tel_num=3&term_type=1' \
//!         http://ntt.setup/cas_tel_conf/ | cargo run --example pjsip
//!
//! What is odd about the settings goes to standard error. That nothing which a
//! server sends becomes a line of Asterisk's is the library's matter
//! ([`mcas::config`]): there is one place for that, and it is not here.

use mcas::config::{PJSIP, SECRETS};
use mcas::format::Style;
use mcas::notes::Severity;
use mcas::{Context, Note};
use std::error::Error;
use std::io::{self, Read, Write};
use std::process::ExitCode;

fn run() -> Result<(), Box<dyn Error>> {
    let mut input = vec![];
    io::stdin().read_to_end(&mut input)?;

    // Nobody saw its request, and nothing comes behind it.
    let context = Context::default().with_flags(mcas::message::END_OF_STREAM);
    let message = mcas::parse(&input, &context)?;
    let body = message.body_bytes(&input);
    let config = message.config(&body, SECRETS | PJSIP);
    let config = config.ok_or("these are no settings")?.to_string();
    for item in message.body_items(&body) {
        let chat = |note: &Note| note.info().severity == Severity::Chat;
        if item.as_note().is_some_and(|note| !chat(&note)) {
            eprintln!("{}", item.format(&body, Style::Line));
        }
    }
    // What stands in front of the first section says what was left out, or
    // why there is no section.
    let begin = config.find('[').unwrap_or(config.len());
    let (comments, sections) = config.split_at(begin);
    eprint!("{comments}");
    if sections.is_empty() {
        return Err("nothing for a pjsip.conf".into());
    }
    // A full disk is an error, where print!() would panic.
    let mut out = io::stdout();
    out.write_all(config.as_bytes())?;
    out.flush()?;
    Ok(())
}

fn main() -> ExitCode {
    if std::env::args_os().len() > 1 {
        eprintln!("usage: pjsip <RESPONSE >pjsip.conf");
        return ExitCode::from(2);
    }
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pjsip: {error}");
            ExitCode::FAILURE
        }
    }
}
