//! Whole inputs: compression, Parquet, truncation, merging, sorting, resuming, what batches and shards show.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, Decimal128Array, Float64Array, Int64Array, LargeStringArray, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use parquet::arrow::ArrowWriter;
use weir_feed::{Input, Options, Reader, Resume, Sort, Step, shard_of};
use weir_model::{Day, EventTime};

use crate::show::{Run, read, run};

/// A CSV of records at the given minutes of one day.
fn csv(serial: &str, minutes: &[u32]) -> String {
    let mut text = "txn_id,occurred_at,amount,payer_customer,payee_customer\n".to_owned();
    for (i, minute) in minutes.iter().enumerate() {
        text.push_str(&format!("{serial}{i},2026-03-07T{:02}:{:02},1,P{i},Q\n", minute / 60, minute % 60));
    }
    text
}

fn files(paths: Vec<PathBuf>) -> Run<'static> {
    Run { inputs: paths.into_iter().map(Input::file).collect(), ..Run::default() }
}

fn write(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Serials of the records, or what stands in their place, in order.
fn serials(lines: &[String]) -> Vec<String> {
    let mut serials: Vec<String> = Vec::new();
    for line in lines.iter().filter(|line| !line.starts_with("tick")) {
        let words: Vec<&str> = line.split(' ').collect();
        let serial = if matches!(words.get(1), Some(&"Out" | &"In")) { words[3].to_owned() } else { line.clone() };
        if serials.last() != Some(&serial) {
            serials.push(serial);
        }
    }
    serials
}

#[test]
fn compressed_files_read_as_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    let text = csv("t", &(0..1000).collect::<Vec<_>>());
    let plain = run("", "a.csv", text.clone()).lines();
    let (front, back) = text.as_bytes().split_at(text.len() / 2);
    let members = [gz(front), gz(back)].concat();
    let frames = [zstd::encode_all(front, 1).unwrap(), zstd::encode_all(back, 1).unwrap()].concat();
    for (name, bytes) in [("a.csv.gz", members.clone()), ("a.csv.zst", frames), ("renamed.csv", members)] {
        let path = write(folder.path(), name, &bytes);
        let reader = files(vec![path]).open().unwrap();
        let progress = reader.progress();
        assert_eq!(read(reader), plain, "{name}");
        assert_eq!(Some(progress.bytes()), progress.total(), "{name}");
    }
}

#[test]
fn what_surrounds_compressed_data_does_not_spoil_it() {
    let folder = tempfile::tempdir().unwrap();
    let text = csv("t", &(0..1000).collect::<Vec<_>>());
    let plain = run("", "a.csv", text.clone()).lines();
    let padded = [gz(text.as_bytes()), vec![0; 100_000]].concat();
    // A skippable frame of four bytes before the first one, as parallel compressors write it.
    let skippable = [b"\x50\x2A\x4D\x18\x04\0\0\0abcd".to_vec(), zstd::encode_all(text.as_bytes(), 1).unwrap()].concat();
    for (name, bytes) in [("a.csv.gz", padded), ("a.csv.zst", skippable)] {
        assert_eq!(files(vec![write(folder.path(), name, &bytes)]).lines(), plain, "{name}");
    }
    let trailing = [gz(text.as_bytes()), b"garbage".to_vec()].concat();
    let lines = files(vec![write(folder.path(), "b.csv.gz", &trailing)]).lines();
    assert_eq!(lines[..lines.len() - 1], plain);
    assert!(lines.last().unwrap().contains("no gzip"), "{lines:?}");
}

#[test]
fn files_of_other_programs_are_called_what_they_are() {
    for (bytes, words) in [
        (b"PK\x03\x04rest".as_slice(), "Excel workbook (.xlsx)"),
        (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1", "Excel workbook (.xls)"),
        (b"BZh91AY&SY", "bzip2"),
        (b"\xFD7zXZ\0", "xz"),
    ] {
        for name in ["a.csv", "a.jsonl"] {
            let lines = run("", name, bytes).lines();
            assert!(lines.len() == 1 && lines[0].contains(words), "{name}: {lines:?}");
        }
    }
}

#[test]
fn a_first_line_that_may_be_a_record_is_not_shown() {
    let feed = "version: 1\nfields: {txn_id: 流水号, occurred_at: 时间, amount: 金额, payer_account: 账号}\n";
    for bytes in ["1,金领,2026-03-01,6222020200112233445\n", "流水号,金颔,6222020200112233445,账号\n"] {
        let lines = run(feed, "a.csv", bytes).lines().join("\n");
        assert!(lines.contains("金额") && lines.contains("looks like a record") && lines.contains("skip_lines"), "{lines}");
        assert!(!lines.contains("6222") && !lines.contains("金领") && !lines.contains("金颔"), "{lines}");
    }
    let lines = run(feed, "a.csv", "流水号,时间,金\u{1b}[31m颔,账号\n").lines().join("\n");
    assert!(lines.contains("the columns are `流水号`, `时间`, `金[31m颔`, `账号`"), "{lines}");
}

#[test]
fn lines_that_end_in_carriage_returns_alone_are_refused() {
    let csv = csv("t", &[1, 2, 3]).replace('\n', "\r");
    let json = "{\"txn_id\":\"1\",\"occurred_at\":\"2026-01-02\",\"amount\":1,\"payer_account\":\"A\"}\r".repeat(3);
    let named = "version: 1\ncsv: {columns: [a, b, c, d]}\nfields: {txn_id: a, occurred_at: b, amount: c, payer_account: d}\n";
    for (feed, name, text) in [("", "a.csv", csv.clone()), ("", "a.jsonl", json), (named, "a.csv", csv)] {
        let lines = run(feed, name, text).lines();
        assert!(lines.len() == 1 && lines[0].contains("carriage returns alone (CR)") && lines[0].contains("tr "), "{lines:?}");
    }
}

#[test]
fn an_empty_csv_has_no_records() {
    for bytes in [b"".as_slice(), b"\xEF\xBB\xBF", b"\n\n"] {
        assert_eq!(run("", "a.csv", bytes).lines(), [""; 0]);
    }
    let both = Run { inputs: vec![Input::bytes("a.csv", ""), Input::bytes("b.csv", csv("b", &[1]))], ..Run::default() };
    assert_eq!(serials(&both.lines()), ["b0"]);
}

#[test]
fn a_stream_that_pauses_yields_what_it_has_brought() {
    use std::sync::mpsc::channel;
    use std::time::Duration;
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("pipe.csv");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let (told, wait) = channel::<()>();
    let text = csv("t", &[10, 20, 30, 40]);
    let cut = text.find("t2").unwrap();
    let path = pipe.clone();
    let writer = std::thread::spawn(move || {
        let mut file = std::fs::OpenOptions::new().write(true).open(path).unwrap();
        file.write_all(&text.as_bytes()[..cut + 4]).unwrap();
        // More is written only once what is there has been read; a reader that waits for more would wait until this gives up.
        let was_prompt = wait.recv_timeout(Duration::from_secs(20)).is_ok();
        file.write_all(&text.as_bytes()[cut + 4..]).unwrap();
        was_prompt
    });
    let mut reader = files(vec![pipe]).open().unwrap();
    let batch = reader.next().unwrap().unwrap();
    assert_eq!(batch.len(), 2);
    let _ = told.send(());
    assert!(writer.join().unwrap());
    assert_eq!(reader.map(|batch| batch.unwrap().len()).sum::<usize>(), 2);
}

#[test]
fn a_truncated_file_yields_what_is_readable_and_then_its_error() {
    let folder = tempfile::tempdir().unwrap();
    let text = csv("t", &(0..30_000).map(|i| i / 21).collect::<Vec<_>>());
    for (name, bytes) in [("a.csv.gz", gz(text.as_bytes())), ("a.csv.zst", zstd::encode_all(text.as_bytes(), 1).unwrap())] {
        let cut = bytes.len() - 20;
        let path = write(folder.path(), name, &bytes[..cut]);
        let lines = files(vec![path.clone()]).lines();
        let serials = serials(&lines);
        let error = lines.last().unwrap();
        assert!(error.starts_with(&format!("error: {}: the compressed data ends too early, at byte {cut} ", path.display())), "{error}");
        // The last line may have lost its end: it is a dead letter, not a record with a shorter name.
        let good = serials.len() - 2;
        assert!(good > 0 && serials[..good].iter().enumerate().all(|(i, serial)| *serial == format!("t{i}")), "{name}: {good}");
        assert!(serials[good].ends_with("malformed"), "{}", serials[good]);
        // The other inputs go on.
        let other = write(folder.path(), "b.csv", csv("u", &[1439]).as_bytes());
        let both = files(vec![path, other]).lines();
        assert!(both.iter().any(|line| line.contains(" u0 ")), "{name}");
    }
}

#[test]
fn inputs_are_merged_by_event_time_and_keep_their_own_order() {
    let inputs = vec![
        Input::bytes("a.csv", csv("a", &[10, 30, 20, 30])),
        Input::bytes("b.csv", csv("b", &[10, 15, 40])),
        Input::bytes("c.csv", format!("{}broken\n", csv("c", &[5]))),
    ];
    let mut merged = Run { inputs, ..Run::default() };
    let expected = ["c0", "3 c.csv:3 malformed".trim_start_matches("3 "), "a0", "b0", "b1", "a1", "a2", "a3", "b2"];
    let shown: Vec<String> = serials(&merged.lines()).iter().map(|serial| serial.trim_start_matches("2 ").to_owned()).collect();
    assert_eq!(shown, expected);
    for batch_records in [1, 2, 5] {
        merged.options.batch_records = batch_records;
        let again: Vec<String> = serials(&merged.lines()).iter().map(|serial| serial.trim_start_matches("2 ").to_owned()).collect();
        assert_eq!(again, expected, "batches of {batch_records}");
    }
}

#[test]
fn many_files_are_opened_one_after_another() {
    let folder = tempfile::tempdir().unwrap();
    let minutes = |file: u32| [file, file + 1, file + 500];
    let texts: Vec<String> = (0..200).map(|file| csv(&format!("f{file:03}-"), &minutes(file))).collect();
    for (file, text) in texts.iter().enumerate() {
        write(folder.path(), &format!("{file:03}.csv"), text.as_bytes());
    }
    let inputs = weir_feed::inputs::expand(&[folder.path().display().to_string()], None).unwrap();
    let run = Run { inputs, ..Run::default() };
    let mut expected: Vec<(u32, u32, usize)> =
        (0..200).flat_map(|file| minutes(file).into_iter().enumerate().map(move |(i, minute)| (minute, file, i))).collect();
    expected.sort_unstable();
    let expected: Vec<String> = expected.iter().map(|(_, file, i)| format!("f{file:03}-{i}")).collect();
    let reader = run.open().unwrap();
    let progress = reader.progress();
    assert_eq!(serials(&read(reader)), expected);
    assert_eq!(Some(progress.bytes()), progress.total());
    let mut reader = run.open().unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    assert_eq!((reader.counts().records, reader.counts().blanks), (600, 0));
}

#[test]
fn sorting_orders_by_event_time_however_little_memory_there_is() {
    let minutes: Vec<u32> = (0..500).map(|i| (i * 7919) % 1440).collect();
    let inputs =
        vec![Input::bytes("a.csv", csv("a", &minutes)), Input::bytes("b.csv", format!("{}\n\nbroken\n", csv("b", &minutes[..50])))];
    let mut sorted = Run { inputs, ..Run::default() };
    sorted.options.sort = Some(Sort::default());
    let lines = sorted.lines();
    let mut expected: Vec<(u32, usize, usize)> = minutes.iter().enumerate().map(|(i, minute)| (*minute, 0, i)).collect();
    expected.extend(minutes[..50].iter().enumerate().map(|(i, minute)| (*minute, 1, i)));
    expected.sort_unstable();
    let names: Vec<String> = expected.iter().map(|(_, input, i)| format!("{}{i}", ["a", "b"][*input])).collect();
    let shown = serials(&lines);
    let good: Vec<String> = shown.iter().filter(|serial| !serial.contains("malformed")).cloned().collect();
    assert_eq!(good, names);
    assert_eq!(shown.len(), good.len() + 1);
    for memory_bytes_max in [0, 5_000] {
        sorted.options.sort = Some(Sort { folder: None, memory_bytes_max });
        assert_eq!(sorted.lines(), lines, "{memory_bytes_max} bytes");
    }
}

#[test]
fn a_run_in_two_parts_numbers_and_stamps_as_one() {
    let whole = csv("t", &[10, 70, 130, 65]);
    let cut = whole.find("t2").unwrap();
    let header = whole.lines().next().unwrap();
    let one = run("", "a.csv", whole.clone()).lines();
    let mut first = run("", "a.csv", whole[..cut].to_owned()).open().unwrap();
    let count = first.by_ref().count();
    let position = first.position();
    assert_eq!((count, position.last_record, first.end_tick().map(|tick| tick.record)), (1, 2, Some(2)));
    let mut second = run("", "a.csv", format!("{header}\n{}", &whole[cut..]));
    second.options.resume = Some(Resume { clock: position.clock, ..position });
    let lines = second.lines();
    assert_eq!(one[one.len() - lines.len()..], lines);
}

#[test]
fn shards_share_the_legs_and_all_see_the_ticks() {
    let text = csv("t", &[10, 70, 80, 300, 20]);
    for shards in [1, 3, 8] {
        let mut reader = run("", "a.csv", text.clone()).open().unwrap();
        let batch = reader.next().unwrap().unwrap();
        let mut legs = 0;
        for shard in 0..shards {
            let steps: Vec<Step<'_>> = batch.steps(shard, shards).collect();
            assert_eq!(steps.iter().filter(|step| matches!(step, Step::Tick(_))).count(), 2);
            for step in steps {
                if let Step::Leg { view, .. } = step {
                    assert_eq!(shard_of(view.leg.party, shards), shard);
                    legs += 1;
                }
            }
        }
        assert_eq!(legs, 10);
        assert_eq!(batch.original(2).as_deref().map(String::from_utf8_lossy).as_deref(), Some("t1,2026-03-07T01:10,1,P1,Q"));
        assert_eq!(batch.place(5).map(|place| (place.record, place.line, place.source)), Some((5, 6, "a.csv")));
    }
}

#[test]
fn parquet_rows_read_as_json_lines_do() {
    let folder = tempfile::tempdir().unwrap();
    let noon = Day::from_ymd(2026, 3, 7).unwrap().start().0 + 12 * 3_600_000_000;
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("txn_id", Arc::new(Int64Array::from(vec![1, 2, 3, 4])) as ArrayRef),
        ("occurred_at", Arc::new(TimestampMicrosecondArray::from(vec![noon; 4]).with_timezone("UTC"))),
        (
            "amount",
            Arc::new(
                Decimal128Array::from(vec![Some(123_456_789_012_345), Some(5), None, Some(-1)]).with_precision_and_scale(20, 2).unwrap(),
            ),
        ),
        ("payer_customer", Arc::new(LargeStringArray::from(vec!["P\"1", "P2", "P3", "P4"]))),
        ("payee_account", Arc::new(BinaryArray::from(vec![b"6222".as_slice(), b"\xFF", b"", b"x"]))),
        ("amount_usd", Arc::new(Float64Array::from(vec![Some(0.1), None, None, None]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let path = folder.path().join("a.parquet");
    let mut writer = ArrowWriter::try_new(std::fs::File::create(&path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let run = files(vec![path.clone()]);
    let name = path.display().to_string();
    assert_eq!(
        run.lines().iter().map(|line| line.replace(&name, "FILE")).collect::<Vec<_>>(),
        [
            "1 Out c:P\"1 1 2026-03-07T12:00:00+08:00 123456789012345 CNY cny=Some(123456789012345) usd=Some(10) | a:6222",
            "2 FILE:2 bad_encoding",
            "3 FILE:3 missing_field amount",
            "4 FILE:4 amount_negative amount",
        ]
    );
    let mut reader = run.open().unwrap();
    let batch = reader.next().unwrap().unwrap();
    let original = batch.rejects().nth(2).map(|reject| String::from_utf8_lossy(&reject.original).into_owned());
    assert_eq!(
        original.as_deref(),
        Some(
            r#"{"txn_id":4,"occurred_at":"2026-03-07T12:00:00+08:00","amount":-0.01,"payer_customer":"P4","payee_account":"x","amount_usd":null}"#
        )
    );
    let progress = reader.progress();
    assert_eq!(Some(progress.bytes()), progress.total());
    let broken = write(folder.path(), "b.parquet", b"PAR1 and nothing more");
    assert!(files(vec![broken]).lines()[0].contains("not a readable Parquet file"));
}

/// A Parquet file of one row with the fields every record needs, and `more`.
fn parquet(path: &Path, more: Vec<(&str, ArrayRef)>, compression: parquet::basic::Compression) {
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let mut columns = vec![("txn_id", text("1")), ("occurred_at", text("2026-03-07")), ("amount", text("5")), ("payer_account", text("A"))];
    columns.extend(more);
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = parquet::file::properties::WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(std::fs::File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

#[test]
fn a_parquet_column_that_has_no_text_matters_only_where_it_is_read() {
    use arrow::array::{FixedSizeBinaryArray, Int32Builder, MapBuilder, StringBuilder};
    use parquet::basic::Compression;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.parquet");
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int32Builder::new());
    map.keys().append_value("x");
    map.values().append_value(1);
    map.append(true).unwrap();
    let map = Arc::new(map.finish()) as ArrayRef;
    let bytes = Arc::new(FixedSizeBinaryArray::try_from_iter([[0xFFu8; 16]].into_iter()).unwrap()) as ArrayRef;
    parquet(&path, vec![("extras", map.clone()), ("digest", bytes)], Compression::UNCOMPRESSED);
    let good = files(vec![path.clone()]).lines();
    assert!(good.len() == 1 && good[0].contains(" a:A 1 "), "{good:?}");
    let feed =
        "version: 1\nfields: {txn_id: txn_id, occurred_at: occurred_at, amount: amount, payer_account: payer_account, memo: extras}\n";
    let lines = Run { feed, ..files(vec![path.clone()]) }.lines();
    assert!(
        lines.len() == 1 && lines[0].contains("the column `extras` is of the type Map") && lines[0].contains("leave it out"),
        "{lines:?}"
    );
    let gzip = Compression::GZIP(parquet::basic::GzipLevel::default());
    for compression in [gzip, Compression::LZ4, Compression::LZ4_RAW, Compression::SNAPPY] {
        parquet(&path, Vec::new(), compression);
        assert_eq!(files(vec![path.clone()]).lines(), good, "{compression}");
    }
}

#[test]
fn row_numbers_need_names_that_tell_inputs_apart() {
    let feed = "version: 1\nfields: {txn_id: {row_number: true}, occurred_at: at, amount: v, payer_account: who}\n";
    let open = |inputs: Vec<Input>| {
        let run = Run { feed, inputs, ..Run::default() };
        run.lines().first().cloned().unwrap_or_default()
    };
    let text = "at,v,who\n2026-01-02,1,A\n";
    assert!(open(vec![Input::bytes("x.csv", text)]).contains(" x.csv:1 "));
    assert!(open(vec![Input::bytes("x.csv", text), Input::bytes("x.csv", text)]).contains("inputs of different names"));
    let reader = Reader::open(&[Input::Stdin], weir_feed::Mapping::parse(feed, "f").unwrap(), Arc::default(), Options::default());
    assert!(reader.is_err_and(|error| error.to_string().contains("standard input has no name")));
}

#[test]
fn counts_and_samples_tell_what_was_refused() {
    let text = "txn_id,occurred_at,amount,payer_customer\n1,2026-01-02,1,P\n\n2,2026-01-02,x,P\n3,2026-01-02\n4,2026-01-02,0,P\n5,2026-01-02,y,P\n";
    let mut reader = run("", "a.csv", text).open().unwrap();
    assert_eq!(reader.by_ref().count(), 1);
    let counts = *reader.counts();
    assert_eq!((counts.records, counts.good, counts.legs, counts.blanks, counts.rejected()), (5, 1, 1, 1, 4));
    let reasons: Vec<(&str, u64)> = counts.by_reason().map(|(reason, count)| (reason.code(), count)).collect();
    assert_eq!(reasons, [("malformed", 1), ("bad_amount", 2), ("amount_zero", 1)]);
    let samples: Vec<(&str, &str, u64)> = reader.samples().iter().map(|s| (s.reason.code(), s.columns.as_str(), s.line)).collect();
    assert_eq!(samples, [("bad_amount", "amount", 4), ("malformed", "", 5), ("amount_zero", "amount", 6)]);
    assert_eq!(reader.position().clock, Day::from_ymd(2026, 1, 2).map(Day::start));
    assert_eq!(EventTime::MIN, EventTime(i64::MIN));
}
