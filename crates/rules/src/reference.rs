//! The files beside the rules: `calendar/*.yaml`, `lists/*.yaml`, `tags.yaml`.
//!
//! ```yaml
//! # calendar/2025.yaml: several files make up one calendar
//! version: 1
//! years: [2025]
//! source: 国办发明电〔2024〕12号            # optional
//! holidays:
//!   - {name: 元旦, from: 2025-01-01}        # `to` is optional
//!   - {name: 国庆节、中秋节, from: 2025-10-01, to: 2025-10-08}
//! workdays: [2025-09-28, 2025-10-11]        # weekend days worked (调休)
//!
//! # lists/prior_alerts.yaml
//! version: 1
//! name: prior_alerts
//! owner: 合规部
//! until: 2027-12-31                         # optional: when the owner means to have gone through it again
//! members: [c:1001, a:102290012345/6222…]   # party keys
//!
//! # tags.yaml: the i-th tag owns bit i of `Leg::tags`
//! version: 1
//! tags:
//!   - {name: interest, zh: 利息分红, keywords: [利息, 分红, 返利]}
//! ```
//!
//! List members are personal data: problems with them name the number of the entry, never its text, and point at the list's name, since the
//! line of the entry would be shown.

use std::collections::{BTreeMap, BTreeSet};

use weir_model::{Calendar, Day};

use crate::diagnostic::{Code, Diagnostic, Place, Text};
use crate::param::is_name;
use crate::read::{Fields, Reader, Scalar};
use crate::set::{Tag, TagFile};
use crate::yaml::Node;

/// Tags a leg has room for.
const TAGS_MAX: usize = 16;
/// The longest holiday range taken for one: longer is a slip.
const HOLIDAY_DAYS_MAX: i32 = 31;

/// What the calendar files say, file by file.
#[derive(Debug, Default)]
pub(crate) struct CalendarDays {
    years: BTreeSet<i32>,
    holidays: BTreeSet<Day>,
    workdays: BTreeSet<Day>,
    /// Every day named, to be held against the years of all files: a holiday may begin on the last day of the year before.
    named: Vec<(Place, Day)>,
}

impl CalendarDays {
    /// Reads one more file.
    pub(crate) fn read(&mut self, reader: &mut Reader<'_>, root: &Node) {
        let Some(mut fields) = Fields::of(reader, root) else { return };
        fields.version(reader);
        let years = fields.need(reader, "years").map_or(Vec::new(), |node| reader.list(node).to_vec());
        let holidays = fields.need(reader, "holidays").map_or(Vec::new(), |node| reader.list(node).to_vec());
        let workdays = fields.get("workdays").map_or(Vec::new(), |node| reader.texts(node));
        let _ = fields.text(reader, "source");
        fields.finish(reader);

        for node in &years {
            let Some(year) = reader.integer(node).and_then(|year| i32::try_from(year).ok()) else { continue };
            if !self.years.insert(year) {
                let place = reader.place(node);
                bad_day(reader, place, Text::new(format!("{year} is there already"), format!("{year} 年已有数据")));
            }
        }
        for node in &holidays {
            self.holiday(reader, node);
        }
        for scalar in &workdays {
            self.workday(reader, scalar);
        }
    }

    fn holiday(&mut self, reader: &mut Reader<'_>, node: &Node) {
        let Some(mut fields) = Fields::of(reader, node) else { return };
        let _ = fields.need_text(reader, "name");
        let from = fields.need_text(reader, "from");
        let to = fields.text(reader, "to");
        fields.finish(reader);
        let Some(first_written) = from else { return };
        let Some(first) = self.day(reader, &first_written) else { return };
        let last = match &to {
            Some(written) => {
                let Some(last) = self.day(reader, written) else { return };
                last
            }
            None => first,
        };
        let length = last.0 - first.0 + 1;
        if !(1..=HOLIDAY_DAYS_MAX).contains(&length) {
            let place = to.as_ref().unwrap_or(&first_written).place();
            bad_day(reader, place, Text::new(format!("a holiday of {length} days"), format!("节假日长达 {length} 天")));
            return;
        }
        for offset in 0..length {
            let at = first.plus(offset);
            if !self.holidays.insert(at) {
                bad_day(reader, first_written.place(), Text::new(format!("{at} is in two holidays"), format!("{at} 属于两个节假日")));
            }
        }
    }

    fn workday(&mut self, reader: &mut Reader<'_>, written: &Scalar) {
        let Some(at) = self.day(reader, written) else { return };
        let message = if at.is_weekday() {
            Text::new(format!("{at} is no weekend day"), format!("{at} 不是周末"))
        } else if self.holidays.contains(&at) {
            Text::new(format!("{at} is a holiday as well"), format!("{at} 同时是节假日"))
        } else if !self.workdays.insert(at) {
            Text::new(format!("{at} stands here twice"), format!("{at} 重复出现"))
        } else {
            return;
        };
        bad_day(reader, written.place(), message);
    }

    fn day(&mut self, reader: &mut Reader<'_>, written: &Scalar) -> Option<Day> {
        let day = Day::parse(&written.text);
        match day {
            Some(day) => self.named.push((written.place(), day)),
            None => {
                let message = Text::new(format!("`{}` is no date", written.text), format!("`{}` 不是日期", written.text));
                bad_day(reader, written.place(), message);
            }
        }
        day
    }

    /// All files together.
    pub(crate) fn finish(self, problems: &mut Vec<Diagnostic>) -> Calendar {
        for (place, day) in self.named {
            if !self.years.contains(&day.year()) {
                let message = Text::new(format!("{day} is in no year of the calendar"), format!("{day} 不在日历的年份之内"));
                problems.push(Diagnostic::error(Code::BadCalendar, message).at(place));
            }
        }
        let weekdays_off = self.holidays.into_iter().filter(|day| day.is_weekday()).collect();
        Calendar::new(self.years, weekdays_off, self.workdays)
    }
}

fn bad_day(reader: &mut Reader<'_>, place: Place, message: Text) {
    reader.error(Code::BadCalendar, place, message, None);
}

/// A list file.
#[derive(Debug)]
pub(crate) struct ListFile {
    /// Name.
    pub(crate) name: String,
    /// Members, sorted.
    pub(crate) members: Vec<String>,
}

/// Reads a list file; `known` are the lists read before, by name, with the file each came from.
pub(crate) fn read_list(reader: &mut Reader<'_>, root: &Node, known: &mut BTreeMap<String, usize>) -> Option<ListFile> {
    let mut fields = Fields::of(reader, root)?;
    fields.version(reader);
    let name = fields.need_text(reader, "name");
    let _ = fields.need_text(reader, "owner");
    let until = fields.text(reader, "until");
    let members = fields.need(reader, "members");
    let list_place = fields.head(reader, "name");
    fields.finish(reader);
    if let Some(until) = until.filter(|until| Day::parse(&until.text).is_none()) {
        let message = Text::new(format!("`{}` is no date", until.text), format!("`{}` 不是日期", until.text));
        reader.error(Code::BadList, until.place(), message, None);
    }
    let mut kept = BTreeSet::new();
    for (i, node) in members.map_or(&[][..], |node| reader.list(node)).iter().enumerate() {
        let key = match &node.kind {
            crate::yaml::Kind::Scalar { text, .. } => text.trim(),
            _ => "",
        };
        let number = i + 1;
        let message = if key.is_empty() {
            Text::new(format!("entry {number} is no party key"), format!("第 {number} 项不是主体编号"))
        } else if !kept.insert(key.to_owned()) {
            Text::new(format!("entry {number} is there already"), format!("第 {number} 项重复"))
        } else {
            continue;
        };
        reader.error(Code::BadList, list_place.clone(), message, None);
    }
    let name = name?;
    check_name(reader, &name);
    if known.insert(name.text.clone(), reader.file).is_some() {
        let message = Text::new(format!("there is another list `{}`", name.text), format!("名单 `{}` 已存在", name.text));
        reader.error(Code::BadList, name.place(), message, None);
    }
    Some(ListFile { name: name.text, members: kept.into_iter().collect() })
}

fn check_name(reader: &mut Reader<'_>, name: &Scalar) {
    if is_name(&name.text) {
        return;
    }
    let message = Text::new(format!("`{}` is no name", name.text), format!("`{}` 不能用作名称", name.text));
    let help = Text::new("small letters, digits and underscores, beginning with a letter", "用小写字母、数字和下划线，以字母开头");
    reader.error(Code::BadName, name.place(), message, Some(help));
}

/// Reads `tags.yaml`.
pub(crate) fn read_tags(reader: &mut Reader<'_>, root: &Node) -> TagFile {
    let mut file = TagFile::default();
    let Some(mut fields) = Fields::of(reader, root) else { return file };
    fields.version(reader);
    let tags = fields.need(reader, "tags");
    fields.finish(reader);
    let nodes = tags.map_or(&[][..], |node| reader.list(node));
    for node in nodes {
        let Some(mut fields) = Fields::of(reader, node) else { continue };
        let name = fields.need_text(reader, "name");
        let zh = fields.text(reader, "zh");
        let keywords = fields.get("keywords").map_or(Vec::new(), |node| reader.texts(node));
        let keywords = reader.distinct(keywords);
        let keywords_place = fields.head(reader, "keywords");
        fields.finish(reader);
        let Some(name) = name else { continue };
        check_name(reader, &name);
        if keywords.is_empty() {
            let message = Text::new(format!("tag `{}` has no keywords", name.text), format!("标签 `{}` 没有关键词", name.text));
            reader.error(Code::BadTags, keywords_place, message, None);
        }
        if file.tags.iter().any(|known| known.name == name.text) {
            let message = Text::new(format!("there is another tag `{}`", name.text), format!("标签 `{}` 已存在", name.text));
            reader.error(Code::BadTags, name.place(), message, None);
            continue;
        }
        let zh = zh.map_or_else(|| name.text.clone(), |zh| zh.text);
        file.tags.push(Tag { name: name.text, zh, keywords: keywords.into_iter().map(|keyword| keyword.text).collect() });
    }
    if let Some(first_beyond) = nodes.get(TAGS_MAX) {
        let place = reader.place(first_beyond);
        let count = nodes.len();
        let message = Text::new(format!("{count} tags, a leg has room for {TAGS_MAX}"), format!("共 {count} 个标签，最多 {TAGS_MAX} 个"));
        reader.error(Code::BadTags, place, message, None);
    }
    file
}
