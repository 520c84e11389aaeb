//! The command line as typed: raw text, nothing checked beyond its shape.
//!
//! What an option means is told by `help`, in both languages; what its value may be is checked where the settings of a verb are built
//! (`detect::settings`, `rule`). Field names here are the option names.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// `weir …`.
#[derive(Debug, Parser)]
#[command(name = "weir", version, disable_help_subcommand = true, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// Language of messages; read beforehand by `Lang::from_arguments`, here only so that the parser accepts and checks it.
    #[arg(long, global = true, display_order = 900, value_name = "zh|en", hide_possible_values = true)]
    pub(crate) lang: Option<LangChoice>,
    /// Talk in JSON.
    #[arg(long, global = true, display_order = 901)]
    pub(crate) json: bool,
    /// What to do.
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Values of `--lang`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LangChoice {
    /// 中文.
    Zh,
    /// English.
    En,
}

/// Verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Runs over files.
    Detect(Box<DetectArgs>),
    /// Works on rule files.
    #[command(subcommand, subcommand_required = true, arg_required_else_help = true)]
    Rule(RuleVerb),
    /// The service.
    Run(ConfigArgs),
    /// Topics of the service.
    #[command(subcommand, subcommand_required = true, arg_required_else_help = true)]
    Topics(TopicsVerb),
    /// Rule sets of the service.
    #[command(subcommand, subcommand_required = true, arg_required_else_help = true)]
    Rules(RulesVerb),
    /// Plays files into the transactions topic.
    Feed(FeedArgs),
    /// Where the service stands.
    Status(ConfigArgs),
    /// Proves an alert.
    VerifyAlert(Box<VerifyArgs>),
    /// Generates a bank.
    Synth(Box<SynthArgs>),
    /// Judges alerts.
    Eval(EvalArgs),
    /// Proposes groups.
    Link(Box<LinkArgs>),
}

// Each default has its reason beside it; docs/detection.md has what looser ones find on generated banks, and what they get wrong.
/// `weir link …`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct LinkArgs {
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) input: Vec<PathBuf>,
    #[arg(id = "groups", long = "out", value_name = "groups.csv", required = true)]
    pub(crate) groups: PathBuf,
    #[arg(long, value_name = "F.yaml")]
    pub(crate) feed: Option<PathBuf>,
    #[arg(long, value_name = "jsonl|csv|parquet")]
    pub(crate) format: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) parties: Option<PathBuf>,
    // Yuan a person pays in all: with less, customers of two shops would relate the shops.
    #[arg(long, value_name = "5000", default_value_t = 5_000, hide_default_value = true)]
    pub(crate) payer_amount: u64,
    // One or two people who pay both are family or friends of both.
    #[arg(long, value_name = "3", default_value_t = 3, hide_default_value = true)]
    pub(crate) shared_payers: u64,
    // Per cent: a school and a landlord of one quarter share some families, two collectors of one scheme a good part.
    #[arg(long, value_name = "20", default_value_t = 20, hide_default_value = true)]
    pub(crate) payer_share: u64,
    // Per cent of what leaves a customer: half is where money mainly goes, and no more than two can take it, while an employer or a firm pays
    // many. With 30, half of what was proposed was wrong.
    #[arg(long, value_name = "50", default_value_t = 50, hide_default_value = true)]
    pub(crate) payee_share: u64,
    // Yuan: half of little says nothing; a year's rent of a flat stays below.
    #[arg(long, value_name = "50000", default_value_t = 50_000, hide_default_value = true)]
    pub(crate) payee_amount: u64,
    // Whoever more customers pay, be it a yuan, is a utility company, a payment institution, a shop or a landlord: everybody's money ends there.
    #[arg(long, value_name = "5", default_value_t = 5, hide_default_value = true)]
    pub(crate) payee_customers: u64,
    // A family has that many customers, and so has who holds the accounts of a scheme; more is a branch's terminal, a shop's, a bookkeeper's.
    #[arg(long, value_name = "5", default_value_t = 5, hide_default_value = true)]
    pub(crate) device_customers: u64,
    // What a person can look through; what hangs together beyond is held together by something that everybody shares, and is taken apart.
    #[arg(long, value_name = "20", default_value_t = 20, hide_default_value = true)]
    pub(crate) group_max: u64,
    // Of 929 proposals in a generated bank with devices 898 were families: whoever looks for schemes would look at those first.
    #[arg(long)]
    pub(crate) households: bool,
    // About 2 GB where pairs of both ways, devices and reasons are as many (docs/detection.md): a machine that runs weir has them.
    #[arg(long, value_name = "5000000", default_value_t = 5_000_000, hide_default_value = true)]
    pub(crate) pairs: u64,
}

/// `weir eval …`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct EvalArgs {
    #[arg(id = "judged", long = "alerts", value_name = "ALERTS.jsonl", required_unless_present = "scores")]
    pub(crate) alerts: Vec<PathBuf>,
    #[arg(long, value_name = "DIR", required_unless_present = "scores")]
    pub(crate) labels: Vec<PathBuf>,
    #[arg(long, value_name = "SCORE.json", num_args = 1.., conflicts_with_all = ["judged", "labels"])]
    pub(crate) scores: Vec<PathBuf>,
    #[arg(long)]
    pub(crate) markdown: bool,
}

/// `weir synth …`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct SynthArgs {
    #[arg(long, value_name = "DIR", required = true)]
    pub(crate) out: PathBuf,
    #[arg(long, value_name = "1", default_value_t = 1, hide_default_value = true)]
    pub(crate) seed: u64,
    #[arg(long, value_name = "5000", default_value_t = 5000, hide_default_value = true)]
    pub(crate) customers: u32,
    #[arg(long, value_name = "2024-01-01", default_value = "2024-01-01", hide_default_value = true)]
    pub(crate) from: String,
    #[arg(long, value_name = "180", default_value_t = 180, hide_default_value = true)]
    pub(crate) days: u32,
    #[arg(long, value_name = "20000", default_value_t = 20_000, hide_default_value = true)]
    pub(crate) per_scheme: u32,
    #[arg(long, value_name = "1", default_value_t = 1, hide_default_value = true)]
    pub(crate) disorder: u32,
    #[arg(long, value_name = "DIAL=value")]
    pub(crate) hold: Vec<String>,
    #[arg(long, value_name = "fees,loans,zipf,devices", value_delimiter = ',')]
    pub(crate) with: Vec<String>,
    #[arg(id = "synth_format", long = "format", value_name = "jsonl|csv|parquet", default_value = "jsonl", hide_default_value = true)]
    pub(crate) format: String,
    #[arg(long)]
    pub(crate) ledger: bool,
    #[arg(long)]
    pub(crate) without_parties: bool,
    #[arg(long, value_name = "FILE")]
    pub(crate) transactions: Option<PathBuf>,
}

/// Which settings.
#[derive(Debug, Args)]
pub(crate) struct ConfigArgs {
    #[arg(short = 'c', long, value_name = "weir.toml", default_value = "weir.toml", hide_default_value = true)]
    pub(crate) config: PathBuf,
}

/// `weir topics …`.
#[derive(Debug, Subcommand)]
pub(crate) enum TopicsVerb {
    /// Makes what is missing.
    Create {
        #[arg(long)]
        begin_anew: bool,
        #[command(flatten)]
        config: ConfigArgs,
    },
    /// Says what is wrong.
    Check(ConfigArgs),
}

/// `weir rules …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RulesVerb {
    /// Publishes a set.
    Publish {
        #[arg(value_name = "DIR")]
        rules: Option<PathBuf>,
        #[arg(long, value_name = "RULE.param=value")]
        set: Vec<String>,
        #[command(flatten)]
        config: ConfigArgs,
    },
}

/// `weir feed …`.
#[derive(Debug, Args)]
pub(crate) struct FeedArgs {
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<PathBuf>,
    #[arg(short = 'c', long, value_name = "weir.toml", default_value = "weir.toml", hide_default_value = true)]
    pub(crate) config: PathBuf,
    #[arg(long, value_name = "FILE")]
    pub(crate) parties: Option<PathBuf>,
    #[arg(long, value_name = "N")]
    pub(crate) rate: Option<u64>,
    #[arg(long, value_name = "N", conflicts_with = "rate")]
    pub(crate) speed: Option<u64>,
    #[arg(long, value_name = "jsonl|csv|parquet")]
    pub(crate) format: Option<String>,
    #[arg(id = "feed_name", long = "name", value_name = "NAME")]
    pub(crate) name: Option<String>,
}

/// How files of transactions are read.
#[derive(Debug, Clone, Args)]
pub(crate) struct ReadArgs {
    #[arg(long, value_name = "F.yaml")]
    pub(crate) feed: Option<PathBuf>,
    #[arg(long, value_name = "jsonl|csv|parquet")]
    pub(crate) format: Option<String>,
    #[arg(long, value_name = "FILE")]
    pub(crate) parties: Option<PathBuf>,
    #[arg(long, value_name = "3d", default_value = "3d", hide_default_value = true)]
    pub(crate) lateness: String,
    #[arg(long, value_name = "RFC3339")]
    pub(crate) now: Option<String>,
    #[arg(long)]
    pub(crate) sort: bool,
}

/// `weir detect …`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct DetectArgs {
    #[arg(value_name = "INPUT", required = true)]
    pub(crate) input: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) pack: PackArgs,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) alerts: Option<PathBuf>,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) office: Option<PathBuf>,
    #[arg(long, value_name = "low|medium|high|urgent", default_value = "medium", hide_default_value = true)]
    pub(crate) office_min_level: String,
    #[arg(long, value_name = "ROUTING.yaml")]
    pub(crate) routing: Option<PathBuf>,
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub(crate) bank_contact: String,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) large_amount: Option<PathBuf>,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) dead_letters: Option<PathBuf>,
    #[arg(long, value_name = "OUT.jsonl")]
    pub(crate) late: Option<PathBuf>,
    #[arg(long, value_name = "OUT.json")]
    pub(crate) summary: Option<PathBuf>,
    #[arg(long)]
    pub(crate) revisions: bool,
    #[arg(long)]
    pub(crate) text: bool,
    #[arg(long, value_name = "PARTY")]
    pub(crate) explain_silence: Option<String>,
    #[arg(long, value_name = "STATE")]
    pub(crate) from_state: Option<PathBuf>,
    #[arg(long, value_name = "STATE")]
    pub(crate) to_state: Option<PathBuf>,
    #[arg(long, value_name = "0.5", default_value = "0.5", hide_default_value = true)]
    pub(crate) max_bad_ratio: String,
    #[arg(long, value_name = "N")]
    pub(crate) shards: Option<usize>,
    #[arg(long, value_name = "N")]
    pub(crate) batch: Option<usize>,
}

/// `weir verify-alert …`.
#[derive(Debug, Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct VerifyArgs {
    #[arg(value_name = "ALERT_ID")]
    pub(crate) alert_id: String,
    #[arg(id = "verify_input", value_name = "INPUT", requires = "said")]
    pub(crate) input: Vec<PathBuf>,
    #[arg(short = 'c', long, value_name = "weir.toml", default_value = "weir.toml", hide_default_value = true)]
    pub(crate) config: PathBuf,
    #[arg(long, value_name = "DIR")]
    pub(crate) archive: Option<String>,
    #[arg(id = "said", long = "alerts", value_name = "ALERTS.jsonl")]
    pub(crate) said: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) read: ReadArgs,
    #[command(flatten)]
    pub(crate) pack: PackArgs,
}

/// Which rules, with which parameters.
#[derive(Debug, Clone, Args)]
pub(crate) struct PackArgs {
    #[arg(long, value_name = "DIR")]
    pub(crate) rules: Option<PathBuf>,
    #[arg(long, value_name = "RULE.param=value")]
    pub(crate) set: Vec<String>,
}

/// `weir rule …`.
#[derive(Debug, Subcommand)]
pub(crate) enum RuleVerb {
    /// Checks rule files.
    Check {
        #[arg(value_name = "DIR")]
        dir: Vec<PathBuf>,
        #[arg(long, value_name = "RULE.param=value")]
        set: Vec<String>,
    },
    /// Runs the tests inside rule files.
    Test(RuleTestArgs),
    /// Lists rules.
    List {
        #[arg(value_name = "DIR")]
        dir: Vec<PathBuf>,
        #[arg(long, value_name = "RULE.param=value")]
        set: Vec<String>,
    },
    /// Lists the functions rules may call.
    Features {
        #[arg(value_name = "NAME")]
        name: Option<String>,
    },
    /// Explains a diagnostic.
    ExplainCode {
        #[arg(value_name = "CODE")]
        code: String,
    },
}

/// `weir rule test …`.
#[derive(Debug, Args)]
pub(crate) struct RuleTestArgs {
    #[arg(value_name = "DIR")]
    pub(crate) dir: Vec<PathBuf>,
    #[arg(long, value_name = "TEXT")]
    pub(crate) run: Option<String>,
    #[arg(long, value_name = "RULE.param=value")]
    pub(crate) set: Vec<String>,
    #[arg(long, value_name = "OUT.xml")]
    pub(crate) junit: Option<PathBuf>,
}
