//! `weir`: the binary. Owns the command line, the wiring of reader, detector and outputs, and all talk with people.
//!
//! Data go to standard output, talk to standard error. The crates below decide; here is nothing that would change an answer. Every error is
//! printed once, by `main`, and ends with one of the codes of [`failure::Exit`].

mod arguments;
mod detect;
mod eval;
mod failure;
mod help;
mod input_error;
mod interrupt;
mod language;
mod link;
mod outputs;
mod pack;
mod probe;
mod render;
mod rule;
mod service;
mod spool;
mod summary;
mod synth;
mod terminal;
mod verify;

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::process::ExitCode;

use clap::FromArgMatches;
use clap::error::ErrorKind;

use arguments::{Cli, PackArgs, RulesVerb, TopicsVerb, Verb};
use failure::{Exit, Failure};
use language::{Lang, say};
use terminal::Palette;

/// Lists of parties grow one by one for months: what they leave behind must fit what comes next (decision 0023; `.cargo/config.toml` says how it is built).
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    // Known before the command line is parsed: what is wrong with it is told in JSON as well.
    let json = arguments.iter().take_while(|argument| *argument != "--").any(|argument| argument == "--json");
    let lang = Lang::from_arguments(&arguments).unwrap_or_else(|| Lang::from_environment(|name| std::env::var(name).ok()));
    interrupt::outlive_file_bound();
    std::panic::set_hook(Box::new(move |panic| tell_where(panic, lang)));
    let done = parse(&arguments, lang).and_then(|cli| run(cli, lang));
    match done {
        Ok(exit) => exit.into(),
        Err(failure) => {
            complain(&failure, json, lang);
            failure.exit.into()
        }
    }
}

/// A panic tells where it was and no more: its message may quote what it stumbled over, and that may be a person's name.
fn tell_where(panic: &PanicHookInfo<'_>, lang: Lang) {
    let place = panic.location().map_or_else(String::new, ToString::to_string);
    let backtrace = Backtrace::capture();
    // Whatever is logged, and though nobody may read it any more: to fail in here would end the process.
    let mut stderr = io::stderr();
    let _ = writeln!(stderr, "{}", say!(lang, "weir 程序内部错误（{place}），请报告", "a mistake in weir ({place}); please report it"));
    if backtrace.status() == BacktraceStatus::Captured {
        let _ = writeln!(stderr, "{backtrace}");
    }
}

fn run(cli: Cli, lang: Lang) -> Result<Exit, Failure> {
    match cli.verb {
        Verb::Detect(raw) => detect::run(*raw, cli.json, lang),
        Verb::Rule(verb) => rule::run(verb, cli.json, lang),
        Verb::Run(args) => service::run(&args.config, lang),
        Verb::Topics(TopicsVerb::Create { begin_anew, config }) => service::create_topics(&config.config, begin_anew, lang),
        Verb::Topics(TopicsVerb::Check(args)) => service::check_topics(&args.config, lang),
        Verb::Rules(RulesVerb::Publish { rules, set, config }) => {
            service::publish_rules(&config.config, &PackArgs { rules, set }, cli.json, lang)
        }
        Verb::Feed(args) => service::feed(&args, cli.json, lang),
        Verb::Status(args) => service::status(&args.config, cli.json, lang),
        Verb::Link(args) => link::run(&args, cli.json, lang),
        Verb::Eval(args) => eval::run(&args, cli.json, lang),
        Verb::Synth(args) => synth::run(&args, cli.json, lang),
        Verb::VerifyAlert(args) => verify::run(*args, cli.json, lang),
    }
}

/// The command line; help and version are printed here and end the run.
fn parse(arguments: &[String], lang: Lang) -> Result<Cli, Failure> {
    let parsed = help::command(lang).try_get_matches().and_then(|matches| Cli::from_arg_matches(&matches));
    let error = match parsed {
        Ok(cli) => return Ok(cli),
        Err(error) => error,
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            // A reader that has gone is no failure of ours.
            let _ = error.print();
            Err(Failure::silent(Exit::Ok))
        }
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
            Err(Failure::silent(Exit::Usage))
        }
        _ => Err(Failure::usage(help::usage_error(&error, arguments, lang))),
    }
}

/// Prints the one error of a run.
fn complain(failure: &Failure, json: bool, lang: Lang) {
    if failure.text.is_empty() {
        return;
    }
    let mut stderr = io::stderr();
    let label = Palette::of(&stderr).paint("1;31", &say!(lang, "错误：", "error: "));
    let text = if json {
        let error = serde_json::json!({ "code": failure.exit.name(), "message": failure.text, "exit": failure.exit as u8 });
        serde_json::json!({ "error": error }).to_string()
    } else {
        format!("{label}{}", terminal::printable(&failure.text))
    };
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(stderr, "{text}");
}
