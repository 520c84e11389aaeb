//! What `--help` and usage errors say, in both languages.
//!
//! One table: every verb with an example, every option with its sentence, both forms side by side. [`command`] lays the forms of one
//! language over the parser; a test fails for an option without an entry.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Command, CommandFactory};

use crate::arguments::Cli;
use crate::language::{Lang, meant, say};

/// A verb: its path of names, what it does, and an example.
struct VerbHelp {
    path: &'static str,
    zh: &'static str,
    en: &'static str,
    example: &'static str,
}

const VERBS: &[VerbHelp] = &[
    VerbHelp {
        path: "weir",
        zh: "堰：在账户流水中识别非法集资（分散转入集中转出、定期批量小额转出）与大额交易，每条预警都说明理由。",
        en: "weir finds illegal fundraising (非法集资) and large-amount transactions in account flows, and explains every alert.",
        example: "weir detect --alerts alerts.jsonl transactions.jsonl\n  weir rule list",
    },
    VerbHelp {
        path: "weir detect",
        zh: "对文件批量检测，每条预警输出一行 JSON（终端上输出可读的预警）。",
        en: "Runs over files and writes one JSON line an alert (on a terminal: alerts to read).",
        example: "weir detect --feed feeds/core.yaml --parties parties.csv --alerts alerts.jsonl --large-amount large.jsonl 2026-03/*.csv.gz\n  weir detect --parties parties.csv --explain-silence c:1001 2026-03/*.csv.gz",
    },
    VerbHelp {
        path: "weir rule",
        zh: "检查、测试、查看规则文件。",
        en: "Checks, tests and shows rule files.",
        example: "weir rule check rules/",
    },
    VerbHelp {
        path: "weir rule check",
        zh: "一次列出全部规则文件的全部问题。",
        en: "Reports every problem of every rule file at once.",
        example: "weir rule check rules/",
    },
    VerbHelp {
        path: "weir rule test",
        zh: "运行规则文件内的测试：给定流水，比对应出的预警。",
        en: "Runs the tests inside rule files: given transactions, compare the alerts.",
        example: "weir rule test rules/ --run FZ-001",
    },
    VerbHelp {
        path: "weir rule list",
        zh: "列出规则：编号、名称、状态、窗口、阈值、测试数。",
        en: "Lists rules: id, title, status, windows, thresholds, tests.",
        example: "weir rule list rules/",
    },
    VerbHelp {
        path: "weir rule features",
        zh: "列出规则可用的指标函数及其确切含义。",
        en: "Lists the functions that rules may call, and exactly what they mean.",
        example: "weir rule features holding_time",
    },
    VerbHelp {
        path: "weir rule explain-code",
        zh: "解释一个诊断代码：含义、例子、改法。",
        en: "Explains a diagnostic code: what it means, an example, the mend.",
        example: "weir rule explain-code R0102",
    },
    VerbHelp {
        path: "weir run",
        zh: "运行服务：从 Kafka 读取交易，写出预警、报处非办消息与大额报告，每条恰好一次。",
        en: "Runs the service: transactions from Kafka in, alerts, office messages and large-amount reports out, each exactly once.",
        example: "weir run -c weir.toml",
    },
    VerbHelp {
        path: "weir topics",
        zh: "创建、检查服务所用的主题。",
        en: "Makes and checks the topics of the service.",
        example: "weir topics check -c weir.toml",
    },
    VerbHelp {
        path: "weir topics create",
        zh: "创建缺少的主题，并为新的消费组写下起点。",
        en: "Makes missing topics, and commits where new consumer groups begin.",
        example: "weir topics create -c weir.toml",
    },
    VerbHelp {
        path: "weir topics check",
        zh: "列出主题中会影响结果的设置。",
        en: "Lists what about the topics would hurt answers.",
        example: "weir topics check -c weir.toml",
    },
    VerbHelp {
        path: "weir rules",
        zh: "服务所用的规则集。",
        en: "Rule sets of the service.",
        example: "weir rules publish rules/ -c weir.toml",
    },
    VerbHelp {
        path: "weir rules publish",
        zh: "检查并发布规则集；运行中的服务随即切换。",
        en: "Checks and publishes a rule set; a running service switches to it.",
        example: "weir rules publish rules/ -c weir.toml",
    },
    VerbHelp {
        path: "weir feed",
        zh: "把文件送入交易主题，用于演练；中断后可续送。",
        en: "Plays files into the transactions topic, for rehearsals; goes on where it was interrupted.",
        example: "weir feed -c weir.toml --parties parties.csv transactions.jsonl",
    },
    VerbHelp {
        path: "weir status",
        zh: "各分区的进度、滞后、业务时钟与快照。",
        en: "Where each partition stands: lag, clock, snapshot.",
        example: "weir status -c weir.toml",
    },
    VerbHelp {
        path: "weir synth",
        zh: "生成一家带标签的银行：日常流水、形似而非的户头、各式非法集资，同一种子结果逐字节相同。",
        en: "Generates a bank with labels: ordinary life, look-alikes, schemes of every kind; the same seed gives the same bytes.",
        example: "weir synth --out town --customers 5000 --days 180 --seed 7\n  weir synth --out sweep --hold investors=60 --hold payout=1",
    },
    VerbHelp {
        path: "weir eval",
        zh: "以标签评判预警：召回、准确、提前量、误报，按名目、返款方式与形似户头分列；可合并多家银行。",
        en: "Judges alerts by labels: recall, precision, lead time, false alerts, by theme, payout and look-alike; pools several banks.",
        example: "weir eval --alerts alerts.jsonl --labels town\n  weir eval --scores 1001.json 1002.json --markdown",
    },
    VerbHelp {
        path: "weir link",
        zh: "由流水找出可能同属一个团伙的客户（共同付款人、资金最终去向相同、归集户的钱转往的账户、同一设备或代办人），写成 CSV 供人核实；核实后填入客户资料的 group 列，即成为规则所看的组。",
        en: "Proposes which customers may belong together (shared payers, one final payee, accounts that collected money passes, one device or agent) as CSV, for a person to confirm into the group column of the party data.",
        example: "weir link --feed feeds/core.yaml --parties parties.csv --out groups.csv 2026-03/*.csv.gz",
    },
    VerbHelp {
        path: "weir verify-alert",
        zh: "由归档（或原始文件）重算一个主体，逐字节比对一条预警的各次修订：证实，或指出第一处不同。",
        en: "Folds one party again from the archive (or from files) and compares an alert's revisions byte by byte: proved, or the first difference.",
        example: "weir verify-alert 3f2a… -c weir.toml\n  weir verify-alert 3f2a… --alerts alerts.jsonl --parties parties.csv transactions.jsonl",
    },
];

/// An option or argument; the same id means the same thing in every verb.
struct OptionHelp {
    id: &'static str,
    zh: &'static str,
    en: &'static str,
}

const fn option(id: &'static str, zh: &'static str, en: &'static str) -> OptionHelp {
    OptionHelp { id, zh, en }
}

const OPTIONS: &[OptionHelp] = &[
    option("help", "显示帮助", "Show this help"),
    option("version", "显示版本", "Show the version"),
    option("lang", "提示语言；默认取自 LC_ALL、LC_MESSAGES、LANG", "Language of messages; default from LC_ALL, LC_MESSAGES, LANG"),
    option(
        "json",
        "以 JSON 输出（detect：汇总写到标准错误），错误与提示也用 JSON",
        "Answer in JSON (detect: the summary on standard error), errors too",
    ),
    option(
        "input",
        "流水文件、目录或通配符：jsonl、csv、parquet，可为 .gz .zst；- 为标准输入",
        "Files, folders or globs: jsonl, csv, parquet, also .gz .zst; - for standard input",
    ),
    option("feed", "数据源映射文件；缺省时字段名即记录字段名", "Feed mapping; without it columns bear the record's field names"),
    option("format", "输入格式；缺省看文件名", "Format of the inputs; default by file name"),
    option("parties", "客户资料（csv、jsonl、parquet）", "Party data (csv, jsonl, parquet)"),
    option("rules", "规则目录；缺省为 ./rules，没有则用内置规则", "Rule directory; default ./rules, else the built-in pack"),
    option("set", "改写规则参数，可重复：FZ-001.min_payers=5", "Override a rule's parameter, repeatable: FZ-001.min_payers=5"),
    option("alerts", "预警输出；缺省或 - 为标准输出", "Alerts; default or -: standard output"),
    option("office", "报处非办的预警（仅允许外送的字段）", "Alerts for the leading-group office (only fields that may leave)"),
    option("office_min_level", "报处非办的最低等级，默认 medium", "Lowest level handed to the office, default medium"),
    option("routing", "报送对象文件：区划到处非办、行业到部门", "Routing file: division to office, industry to departments"),
    option("bank_contact", "写入处非办预警的银行联系人", "Whom to call at the bank, written into office alerts"),
    option("large_amount", "大额交易报告", "Large-amount reports"),
    option("dead_letters", "死信：无法使用的记录，附原因与原始字节", "Dead letters: unusable records with reason and untouched bytes"),
    option("late", "迟到输出：早于允许迟到范围的流水", "Late output: legs behind the allowed lateness"),
    option("summary", "把汇总写成 JSON 文件", "Write the summary to a file as JSON"),
    option("revisions", "输出每次修订，而不只是最终状态", "Write every revision instead of the final state"),
    option(
        "text",
        "把预警写成供人阅读的文字（终端上默认如此），而不是 JSON",
        "Alerts as text to read (the default on a terminal) instead of JSON",
    ),
    option(
        "explain_silence",
        "不写预警，而说明一个主体（如 c:1001）为何没有预警：各规则最接近的时刻、每个条件差多少、成立的排除情形、缺什么数据",
        "No alerts; say why a party (c:1001) did not alert: each rule's nearest instant, every condition's distance, exclusions, data missing",
    ),
    option("from_state", "从上次运行保存的状态继续", "Go on from the state of an earlier run"),
    option("to_state", "运行后保存状态，以便下次继续（可与 --from-state 同名）", "Save the state for a later run (may equal --from-state)"),
    option("lateness", "允许迟到多久，默认 3d", "How late a record may come, default 3d"),
    option("now", "收到数据的时间；事件时间更晚的记录转死信", "When the data were received; records from the future become dead letters"),
    option("sort", "先按事件时间排序（乱序严重的文件）", "Sort by event time first (for files badly out of order)"),
    option(
        "max_bad_ratio",
        "坏记录占比超过此值即停止（满千条后及结束时检查），默认 0.5",
        "Stop when more than this share is bad (looked at from record 1000 on, and at the end), default 0.5",
    ),
    option(
        "shards",
        "并行分片数，默认为处理器核数，至多 256；不影响结果",
        "Parallel shards, default: cores, at most 256; does not change the output",
    ),
    option("batch", "每批记录数；不影响结果", "Records a batch; does not change the output"),
    option("dir", "规则目录；缺省为 ./rules，没有则用内置规则", "Rule directories; default ./rules, else the built-in pack"),
    option("run", "只运行“规则编号 测试名”含此文字的测试", "Only tests whose \"rule id, name\" contains this text"),
    option("junit", "另写一份 JUnit XML", "Write JUnit XML as well"),
    option("name", "指标函数名；缺省列出全部", "Name of a feature; default: all"),
    option("config", "设置文件，默认 weir.toml", "Settings, default weir.toml"),
    option("rate", "每秒送入的记录数；缺省不限", "Records a second; default: no limit"),
    option("speed", "按事件时间送入：业务时间走得比实际快多少倍", "By event time: how many times faster than it passed"),
    option("feed_name", "续送所用的名字；缺省由输入路径得出", "Name to go on by; default: from the paths of the inputs"),
    option("alert_id", "预警编号（alert_id）", "Id of the alert (alert_id)"),
    option(
        "verify_input",
        "weir detect 当时所读的文件；缺省为服务的归档",
        "The files weir detect read then; default: the service's archive",
    ),
    option("archive", "归档目录；缺省见设置文件", "Folder of the archive; default: that of the settings"),
    option("said", "当时的预警输出；缺省为服务的预警主题", "Alerts as they were written; default: the service's topic"),
    option("out", "输出目录：流水、客户资料、映射文件、labels/", "Folder for transactions, party data, feed mapping, labels/"),
    option("seed", "种子，默认 1", "Seed, default 1"),
    option("customers", "普通客户数，默认 5000", "Ordinary customers, default 5000"),
    option("from", "第一天，默认 2024-01-01", "First day, default 2024-01-01"),
    option("days", "天数，默认 180", "Days, default 180"),
    option("per_scheme", "多少客户一个集资团伙，默认 20000；0 为没有", "Customers for one scheme, default 20000; 0: none"),
    option(
        "disorder",
        "乱序、重复、冲正、坏记录的程度：0 没有，1 平常（默认）",
        "How disorderly the feed is (late, twice, reversed, unreadable): 0 not at all, 1 as usual (default)",
    ),
    option("hold", "固定集资团伙的一个参数，可重复：investors=60", "Hold a dial of schemes at a value, repeatable: investors=60"),
    option(
        "with",
        "另加（逗号分隔，默认都没有）：手续费、发放的贷款、齐夫律活跃度、付款设备",
        "What the bank has besides, by comma, default nothing: fees, loans paid out, activity by Zipf's law, devices",
    ),
    option("synth_format", "流水格式，默认 jsonl", "Format of the transactions, default jsonl"),
    option("ledger", "每个客户一行的收付流水，而不是一笔一行", "Ledger rows, one for each customer's side, instead of whole transfers"),
    option(
        "without_parties",
        "不写客户资料，且六成行外对手不示类型",
        "No party data, and three in five counterparties elsewhere without a kind",
    ),
    option(
        "transactions",
        "流水文件；缺省在输出目录内，- 为标准输出",
        "File of the transactions; default: in the folder; -: standard output",
    ),
    option("groups", "建议的组（CSV），每个成员的每条理由一行", "Proposed groups (CSV), a line for each reason of each member"),
    option(
        "payer_amount",
        "一名自然人合计付给一户多少元才算付款人，默认 5000：再低则常去的商户都有关联",
        "Yuan a person must have paid a customer in all, default 5000: with less, all shops are related",
    ),
    option(
        "shared_payers",
        "两户至少共有几名付款人，默认 3：一两人可以是亲友",
        "Payers two customers must share, default 3: one or two may be family",
    ),
    option(
        "payer_share",
        "共同付款人须占付款人较少一户的百分之几，默认 20：学校与物业也会共有几个住户",
        "Per cent of the payers of the customer that has fewer, default 20: a school and a landlord share some families too",
    ),
    option(
        "payee_share",
        "主要收款方须占一户转出的百分之几，默认 50：过半才是主要去向；资金沿主要收款方最多追三步",
        "Per cent of a customer's outflow that its main payee must take, default 50: half is where money mainly goes; followed for three hops",
    ),
    option(
        "payee_amount",
        "主要收款方须收到该户多少元，默认 50000：零星收付的过半说明不了什么",
        "Yuan it must take, default 50000: half of little says nothing",
    ),
    option(
        "payee_customers",
        "向主要收款方付款的客户至多几户，默认 5：多了就是商户、房东、机构，不计也不再往下追",
        "Customers who may pay that payee, default 5: more is a shop, a landlord, an institution, and no chain leads through it",
    ),
    option(
        "device_customers",
        "同一设备、代办人至多几户客户，默认 5：多了就是网点、商户的机具或代账公司",
        "Customers who may share a device or agent, default 5: more is a terminal of a branch or a shop, or a bookkeeper",
    ),
    option(
        "group_max",
        "一组至多几户，默认 20；更大的依次去掉设备与代办人、转往本行客户、共同去向这几类理由而拆开，仍过大的不建议，只计数",
        "Customers of one group, default 20; what is larger is taken apart by leaving out devices and agents, then main payees, then common payees; still larger, it is counted, not proposed",
    ),
    option(
        "households",
        "连没有成员收款的组也建议（多是共用一部手机的家庭）；缺省只计数",
        "Propose groups in which nobody collects as well (families with one telephone, mostly); default: they are counted",
    ),
    option(
        "pairs",
        "内存中至多记多少对收付款双方（转入、转出各计）、多少台设备与代办人、多少条关联理由，默认各 500 万，都记满时约 2 GB，另每户约 130 字节；超出的新项不记，只计数",
        "Pairs of payer and payee kept in memory each way, devices and agents, and reasons, default 5 million each: about 2 GB where all are as many, and 130 bytes a customer; new ones beyond are left out and counted",
    ),
    option(
        "begin_anew",
        "没有位移而输出主题已有记录的分区也从头开始：写过的会再写一遍；检测的分区须开头还在",
        "Begin from the start also where outputs have records and a group has no offset: what was written is written once more; for detection the start must still be there",
    ),
    option("judged", "weir detect 写出的预警，可重复", "Alerts written by weir detect, repeatable"),
    option("labels", "weir synth 写出的目录，与 --alerts 一一对应", "Folder written by weir synth, one for each --alerts"),
    option("scores", "weir eval --json 写出的结果，合并计数", "Scores written by weir eval --json, added up"),
    option("markdown", "输出 Markdown", "Write Markdown"),
    option("code", "诊断代码，如 R0102", "Diagnostic code such as R0102"),
];

/// The parser, speaking `lang`.
pub(crate) fn command(lang: Lang) -> Command {
    localise(Cli::command(), "weir", lang)
}

fn localise(command: Command, path: &str, lang: Lang) -> Command {
    let has_arguments = command.get_positionals().next().is_some();
    let has_verbs = command.has_subcommands();
    let mut command = command.disable_help_flag(true).disable_version_flag(true);
    command = command.arg(Arg::new("help").short('h').long("help").action(ArgAction::Help));
    if path == "weir" {
        command = command.arg(Arg::new("version").short('V').long("version").action(ArgAction::Version));
    }
    command = command.mut_args(|arg| match OPTIONS.iter().find(|option| arg.get_id() == option.id) {
        Some(help) => arg.help(lang.of(help.zh, help.en)),
        None => arg,
    });
    // `-5` is a number out of range, and no option.
    let takes_value = |arg: &Arg| arg.get_action().takes_values() && !arg.is_positional();
    command = command.mut_args(|arg| if takes_value(&arg) { arg.allow_negative_numbers(true) } else { arg });
    if let Some(help) = VERBS.iter().find(|verb| verb.path == path) {
        let about = lang.of(help.zh, help.en);
        command = command.about(about).help_template(template(help, lang, has_arguments, has_verbs));
    }
    command.mut_subcommands(|verb| {
        let path = format!("{path} {}", verb.get_name());
        localise(verb, &path, lang)
    })
}

/// Layout of a verb's help: what it does, an example, then the rest.
fn template(help: &VerbHelp, lang: Lang, has_arguments: bool, has_verbs: bool) -> StyledStr {
    let heading = |zh, en| lang.of(zh, en);
    let mut text =
        format!("{{about}}\n\n{}\n  {}\n\n{}{{usage}}\n", heading("示例：", "Example:"), help.example, heading("用法：", "Usage: "));
    if has_verbs {
        text += &format!("\n{}\n{{subcommands}}\n", heading("命令：", "Commands:"));
    }
    if has_arguments {
        text += &format!("\n{}\n{{positionals}}\n", heading("参数：", "Arguments:"));
    }
    text += &format!("\n{}\n{{options}}\n", heading("选项：", "Options:"));
    let exits = heading(
        "退出码：0 完成；1 有待处理的发现（测试失败、迟到过多）；2 规则或数据不可用；3 用法、设置或输出位置有误；70 服务须重新启动；129、130、143 被信号终止",
        "Exit codes: 0 done; 1 findings (failed tests, too much came late); 2 rules or data cannot be used; 3 usage, settings, outputs; 70 the service wants to be started again; 129, 130, 143 ended by a signal",
    );
    text += &format!("\n{exits}\n");
    text.into()
}

/// One sentence for a command line that does not parse, and where to look next: the help of the verb that its words reach.
pub(crate) fn usage_error(error: &clap::Error, arguments: &[String], lang: Lang) -> String {
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        Some(ContextValue::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let value = context(ContextKind::InvalidValue);
    let text = match error.kind() {
        ErrorKind::UnknownArgument => say!(lang, "没有选项 `{argument}`", "there is no option `{argument}`"),
        ErrorKind::InvalidSubcommand => {
            let verb = context(ContextKind::InvalidSubcommand);
            say!(lang, "没有命令 `{verb}`", "there is no command `{verb}`")
        }
        ErrorKind::MissingSubcommand => say!(lang, "缺少命令", "a command is missing"),
        ErrorKind::MissingRequiredArgument => say!(lang, "缺少 {argument}", "{argument} is missing"),
        ErrorKind::InvalidValue if value.is_empty() => say!(lang, "`{argument}` 缺少取值", "`{argument}` needs a value"),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            // Without its placeholder, which may be the default.
            let argument = argument.split(" <").next().unwrap_or_default();
            let possible = context(ContextKind::ValidValue);
            // What the parser itself reads are numbers and words out of a list.
            match possible.as_str() {
                "" if !value.is_empty() && value.chars().all(|c| c.is_ascii_digit()) => {
                    say!(lang, "`{argument}` 的取值 `{value}` 过大", "`{argument}`: `{value}` is too large")
                }
                "" => say!(
                    lang,
                    "`{argument}` 取不小于 0 的整数，给出的是 `{value}`",
                    "`{argument}` takes a whole number from 0 on, not `{value}`"
                ),
                possible => {
                    say!(lang, "`{argument}` 可取 {possible}，给出的是 `{value}`", "`{argument}` is one of {possible}, not `{value}`")
                }
            }
        }
        ErrorKind::ArgumentConflict => {
            say!(lang, "`{argument}` 重复或与其他选项冲突", "`{argument}` is given twice or clashes with another option")
        }
        _ => error.kind().to_string(),
    };
    let suggestion = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand, ContextKind::SuggestedValue]
        .into_iter()
        .map(context)
        .find(|text| !text.is_empty())
        .map(|near| meant(&near, lang))
        .unwrap_or_default();
    let verb = verb_of(arguments);
    let more = say!(lang, "详见 {verb} --help", "see {verb} --help");
    format!("{text}{suggestion}\n  {more}")
}

/// `weir rule check` of `weir --lang zh rule check --nonsense`: as far as the words are verbs.
fn verb_of(arguments: &[String]) -> String {
    let root = Cli::command();
    let (mut verb, mut path) = (&root, vec!["weir"]);
    let mut words = arguments.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--lang" {
            words.next();
        } else if let Some(next) = verb.find_subcommand(word) {
            verb = next;
            path.push(verb.get_name());
        } else if !word.starts_with('-') {
            break;
        }
    }
    path.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn each_verb(command: &Command, path: &str, see: &mut dyn FnMut(&Command, &str)) {
        see(command, path);
        for verb in command.get_subcommands() {
            each_verb(verb, &format!("{path} {}", verb.get_name()), see);
        }
    }

    #[test]
    fn every_verb_and_option_has_words_in_both_languages() {
        each_verb(&Cli::command(), "weir", &mut |command, path| {
            assert!(VERBS.iter().any(|verb| verb.path == path), "no help for `{path}`");
            for arg in command.get_arguments() {
                assert!(OPTIONS.iter().any(|option| arg.get_id() == option.id), "no help for `{}` of `{path}`", arg.get_id());
            }
        });
    }

    #[test]
    fn the_parser_is_consistent() {
        command(Lang::Zh).debug_assert();
    }

    fn check(line: &str, lang: Lang, expected: &str) {
        let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = command(lang).try_get_matches_from(&arguments).expect_err("does not parse");
        assert_eq!(usage_error(&error, &arguments, lang).lines().next(), Some(expected));
    }

    #[test]
    fn a_usage_error_names_the_help_of_its_verb() {
        for (line, expected) in [
            ("weir synth --customers many", "weir synth"),
            ("weir --lang zh rule check --nonsense", "weir rule check"),
            ("weir rule chek", "weir rule"),
            ("weir detcet feed", "weir"),
            ("weir detect feed", "weir detect"),
        ] {
            let arguments: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(verb_of(&arguments), expected);
        }
    }

    #[test]
    fn usage_errors_name_the_word_and_the_nearest_one() {
        check("weir detect --alert x in", Lang::En, "there is no option `--alert`; did you mean `--alerts`?");
        check("weir detect --alert x in", Lang::Zh, "没有选项 `--alert`；是否想写 `--alerts`？");
        check("weir detcet in", Lang::En, "there is no command `detcet`; did you mean `detect`?");
        check("weir detect --shards two in", Lang::En, "`--shards` takes a whole number from 0 on, not `two`");
        check("weir synth --out x --customers -5", Lang::Zh, "`--customers` 取不小于 0 的整数，给出的是 `-5`");
        check("weir synth --out x --customers 99999999999", Lang::En, "`--customers`: `99999999999` is too large");
        check("weir rule list --lang fr", Lang::En, "`--lang` is one of zh en, not `fr`");
        check("weir detect --sort --sort in", Lang::En, "`--sort` is given twice or clashes with another option");
    }
}
