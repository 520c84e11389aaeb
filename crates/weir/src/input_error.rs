//! What is said when an input cannot be read: the reader's errors in the language of the talk.
//!
//! The reader words its errors in English; this is their Chinese form, variant by variant, so that a new one cannot be forgotten. Coordinates
//! (path, line, column, offset) are the same in both.

use weir_feed::{Error, Foreign, MissingColumn, Problem, RejectSample};

use crate::failure::{Exit, Failure};
use crate::language::{Lang, say};

/// The failure that a reader's error is: a wrong option where the argument is at fault, else an input that cannot be used.
pub(crate) fn failure(error: &Error, lang: Lang) -> Failure {
    let exit = match error {
        // A disk that is full while sorting is no fault of the data.
        Error::BadPattern { .. } | Error::UnknownFormat { .. } | Error::Temporary { .. } => Exit::Usage,
        _ => Exit::BadInput,
    };
    let text = match lang {
        Lang::Zh => in_chinese(error),
        Lang::En => error.to_string(),
    };
    Failure { exit, text }
}

/// What is wrong with JSON that is none of weir's own. Of the parser's words only the name of a missing field is said: the others may quote a record.
pub(crate) fn json_fault(error: &serde_json::Error, lang: Lang) -> String {
    let words = error.to_string();
    match words.split(" at line ").next() {
        Some(missing) if missing.starts_with("missing field") => missing.to_owned(),
        _ if error.is_data() => lang.of("字段的类型不符", "a field of another type").to_owned(),
        _ => lang.of("不是 JSON", "no JSON").to_owned(),
    }
}

fn in_chinese(error: &Error) -> String {
    match error {
        Error::NotFound { pattern } => format!("{pattern}：没有这个文件或目录，通配符也没有匹配"),
        Error::BadPattern { pattern, message } => format!("{pattern}：通配符有误：{message}"),
        Error::EmptyFolder { path } => {
            format!("{path}：目录中没有 .jsonl、.csv、.parquet 文件（可为 .gz、.zst）；加 --format 则读取目录中全部文件")
        }
        Error::UnknownFormat { path } => format!("{path}：无法判断格式；请用 --format 或映射文件的 `format:` 指明 jsonl、csv 或 parquet"),
        Error::Unsupported { path, what } => format!("{path}：不支持：{what}"),
        Error::Foreign { path, what } => format!("{path}：{}", foreign(*what)),
        Error::LineEnds { path } => format!("{path}：各行只以回车符（CR）结尾；请先改为换行符，例如 tr '\\r' '\\n'"),
        Error::ParquetStream { path } => format!("{path}：Parquet 不能从管道或标准输入读取，请给出文件路径"),
        Error::ParquetColumn { path, column, kind } => {
            format!("{path}：列 `{column}` 的类型 {kind} 无法读取；请改存为文本、数字、日期或时间戳，或从数据源映射中去掉该列")
        }
        Error::ParquetCodec { path, codec } => {
            format!("{path}：数据页以 {codec} 压缩，无法读取；请改用 Snappy、Zstandard、GZIP、LZ4 或不压缩")
        }
        Error::Open { path, source } => format!("{path}：无法打开：{source}"),
        Error::Truncated { path, compressed_offset, offset } => {
            format!("{path}：压缩数据不完整，止于文件第 {compressed_offset} 字节（解压后 {offset} 字节）；文件是否没有复制完？")
        }
        Error::Read { path, offset, source } => format!("{path}：读到第 {offset} 字节后出错：{source}"),
        Error::Parquet { path, message } => format!("{path}：不是可读的 Parquet 文件：{message}"),
        Error::Header { path, line, message } => format!("{path}:{line}：表头有误：{message}"),
        Error::MissingColumns { path, missing, existing } => missing_columns(path, missing, existing.as_deref()),
        Error::Problems(problems) => problems.problems.iter().map(|one| problem(&problems.path, one)).collect::<Vec<_>>().join("\n"),
        Error::Temporary { path, source } => format!("排序需要在 {path} 写临时文件：{source}；请腾出空间，或用环境变量 TMPDIR 另指目录"),
    }
}

fn foreign(what: Foreign) -> &'static str {
    match what {
        Foreign::Zip => "这是 ZIP 压缩包或 Excel 工作簿（.xlsx）；请先解压，或将工作表另存为 UTF-8 编码的 CSV",
        Foreign::Workbook => "这是 Excel 工作簿（.xls）；请将工作表另存为 UTF-8 编码的 CSV",
        Foreign::Packed => "这是 bzip2、xz 或 7z 压缩文件；请先解压（gzip 和 Zstandard 可直接读取）",
    }
}

/// The columns that the feed names and the input lacks, with the nearest ones, and what there is.
fn missing_columns(path: &str, missing: &[MissingColumn], existing: Option<&[String]>) -> String {
    const SHOWN_MAX: usize = 60;
    let mut text = format!("{path}：数据源映射与文件不符？");
    for column in missing {
        let near = column.nearest.as_ref().map(|near| format!("，是否应为 `{near}`")).unwrap_or_default();
        text += &format!("没有列 `{}`（用于 {}{near}）；", column.name, column.field);
    }
    let Some(existing) = existing else {
        return text
            + "首行像是一条记录而不是表头；无表头的文件请在映射文件的 `csv: columns:` 中写明各列，表头之前的行用 `skip_lines` 跳过";
    };
    let shown: Vec<&str> = existing.iter().take(SHOWN_MAX).map(String::as_str).collect();
    text + &format!("现有的列：{}{}", shown.join("、"), if existing.len() > SHOWN_MAX { "……" } else { "" })
}

/// `path:line:column：message（help）`; the message itself is the reader's.
fn problem(path: &str, problem: &Problem) -> String {
    let column = if problem.column > 0 { format!(":{}", problem.column) } else { String::new() };
    let help = if problem.help.is_empty() { String::new() } else { format!("（{}）", problem.help) };
    format!("{path}:{}{column}：{}{help}", problem.line, problem.message)
}

/// A bad record, for a person: where, what, which column. Never its contents.
pub(crate) fn sample(sample: &RejectSample, lang: Lang) -> String {
    let RejectSample { reason, source, line, columns, .. } = sample;
    let (code, meaning) = (reason.code(), reason.zh());
    let column = match columns.as_str() {
        "" => String::new(),
        columns => say!(lang, "，列 {columns}", ", column {columns}"),
    };
    say!(lang, "{source}:{line}：{meaning}（{code}）{column}", "{source}:{line}: {code}{column}")
}

/// An input that is plainly not what its feed says.
#[derive(Debug)]
pub(crate) struct PlainlyWrong {
    /// Bad records.
    pub(crate) bad: u64,
    /// Records looked at.
    pub(crate) records: u64,
    /// Whether these are all.
    pub(crate) is_all: bool,
    /// The first bad ones.
    pub(crate) samples: Vec<RejectSample>,
}

/// The failure that it is, with its first bad records, each with its place.
pub(crate) fn plainly_wrong(wrong: &PlainlyWrong, lang: Lang) -> Failure {
    let PlainlyWrong { bad, records, is_all, samples } = wrong;
    let list = samples.iter().map(|one| sample(one, lang)).collect::<Vec<_>>().join("\n  ");
    let of_records = match (*is_all, *records) {
        (false, _) => say!(lang, "前 {records} 条记录中 {bad} 条", "{bad} of the first {records} records"),
        (true, 1) => say!(lang, "唯一的 1 条记录", "the only record"),
        (true, _) => say!(lang, "{records} 条记录中 {bad} 条", "{bad} of {records} records"),
    };
    Failure::bad_input(say!(
        lang,
        "{of_records}无法使用，已停止：数据源映射（--feed）与文件相符吗？（上限见 --max-bad-ratio）\n  {list}",
        "{of_records} cannot be used, stopped: is this the right feed (--feed)? (the bound is --max-bad-ratio)\n  {list}"
    ))
}
