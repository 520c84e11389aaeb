//! Fields whose texts are measured: times with formats, zone or steps, amounts with unit and sign.

use weir_model::Span;
use weir_model::money::AmountFormat;
use weir_model::time::MICROS_PER_SEC;

use super::Parser;
use crate::mapping::fields::{FieldType, reversal_kind};
use crate::mapping::{AmountSource, Source};
use crate::time_format::{TimeForm, TimeFormat, TimeReading, Zone};
use crate::yaml::{At, Node, Value};

impl Parser {
    pub(super) fn time(&mut self, node: &Node, field: &'static str, time: &mut Option<TimeReading>) -> Option<Source> {
        let more = ["format", "formats", "zone", "origin", "unit", "epoch"];
        let source = self.source(node, field, FieldType::Time, &more)?;
        let mut reading = TimeReading { zone: self.zone, form: TimeForm::Default };
        if let Value::Map(entries) = &node.value {
            let get = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
            if let Some(node) = get("zone") {
                reading.zone = self.zone(node)?;
            }
            let ways: Vec<&str> = ["format", "formats", "origin", "epoch"].into_iter().filter(|name| get(name).is_some()).collect();
            match ways[..] {
                [] if get("unit").is_some() => self.problem(node.at, "`unit` without `origin`", "steps count from somewhere"),
                [] => {}
                ["format"] => reading.form = TimeForm::Formats(self.formats(get("format")?)?),
                ["formats"] => reading.form = TimeForm::Formats(self.formats(get("formats")?)?),
                ["origin"] => reading.form = self.steps(node.at, get("origin")?, get("unit"), reading.zone)?,
                ["epoch"] => {
                    let units = [("seconds", MICROS_PER_SEC), ("millis", 1000), ("micros", 1)];
                    reading.form = TimeForm::Epoch { unit_micros: self.choice(get("epoch")?, &units)? };
                }
                _ => self.problem(node.at, format!("`{}` and `{}` exclude each other", ways[0], ways[1]), ""),
            }
        }
        *time = Some(reading);
        Some(source)
    }

    fn formats(&mut self, node: &Node) -> Option<Vec<TimeFormat>> {
        let nodes = match &node.value {
            Value::List(nodes) => nodes.as_slice(),
            _ => std::slice::from_ref(node),
        };
        let mut formats = Vec::new();
        for node in nodes {
            let text = self.scalar(node)?;
            match TimeFormat::parse(text) {
                Some(format) => formats.push(format),
                None => self.problem(
                    node.at,
                    format!("`{text}` is no format of a date"),
                    "strftime with year, month and day, for example \"%Y%m%d %H%M%S\"",
                ),
            }
        }
        (!formats.is_empty()).then_some(formats)
    }

    fn steps(&mut self, at: At, origin: &Node, unit: Option<&Node>, zone: Zone) -> Option<TimeForm> {
        let text = self.scalar(origin)?;
        let reading = TimeReading { zone, form: TimeForm::Default };
        let Some(start) = reading.read(text) else {
            self.problem(origin.at, format!("`{text}` is no date"), "for example 2026-01-01");
            return None;
        };
        let Some(unit) = unit else {
            self.problem(at, "`origin` without `unit`", "second, minute, hour, day or week");
            return None;
        };
        let units = [
            ("second", Span(MICROS_PER_SEC)),
            ("minute", Span(60 * MICROS_PER_SEC)),
            ("hour", Span::hours(1)),
            ("day", Span::days(1)),
            ("week", Span::days(7)),
        ];
        Some(TimeForm::Steps { origin: start.at, unit: self.choice(unit, &units)? })
    }

    // ---- amounts

    pub(super) fn amount(&mut self, node: &Node, field: &'static str, amount: &mut AmountSource) {
        let main = field == "amount";
        let more: &[&str] = if main { &["unit", "scale", "grouping", "negative", "in", "out"] } else { &["unit", "scale", "grouping"] };
        if let Some(source) = self.source(node, field, FieldType::Amount, more) {
            amount.source = source;
        }
        let Value::Map(entries) = &node.value else { return };
        let get = |name: &str| entries.iter().find(|entry| entry.key == name).map(|entry| &entry.node);
        amount.format = self.amount_format(node.at, get("unit"), get("scale"), get("grouping"));
        if !main {
            return;
        }
        if let Some(node) = get("negative") {
            amount.negative = match self.scalar(node) {
                Some("reject") | None => None,
                Some(text) if reversal_kind(text).is_some() => reversal_kind(text),
                Some(text) => {
                    self.problem(node.at, format!("`{text}` is not known here"), "cancel, correction, return or reject");
                    None
                }
            };
        }
        match (get("in"), get("out")) {
            (Some(inflow), Some(outflow)) => {
                if let (Some(inflow), Some(outflow)) = (self.scalar(inflow), self.scalar(outflow)) {
                    amount.by_direction = Some((self.slot(inflow, field, false), self.slot(outflow, field, false)));
                }
            }
            (None, None) => {}
            _ => self.problem(node.at, "`in` and `out` belong together", "columns of inflows and of outflows"),
        }
    }

    fn amount_format(&mut self, at: At, unit: Option<&Node>, scale: Option<&Node>, grouping: Option<&Node>) -> AmountFormat {
        let mut format = AmountFormat::default();
        if unit.is_some() && scale.is_some() {
            self.problem(at, "`unit` and `scale` exclude each other", "");
        }
        if let Some(node) = unit {
            let units =
                [("fen", -2), ("分", -2), ("yuan", 0), ("元", 0), ("thousand", 3), ("千元", 3), ("wan", 4), ("万元", 4), ("亿元", 8)];
            format.scale = self.choice(node, &units).unwrap_or(0);
        }
        if let Some(node) = scale {
            match self.scalar(node).map(str::parse) {
                Some(Ok(scale)) if (-9..=9).contains(&scale) => format.scale = scale,
                Some(_) => {
                    self.problem(node.at, "a whole number from -9 to 9 was expected", "the power of ten that makes units: -2 for fen")
                }
                None => {}
            }
        }
        if let Some(node) = grouping {
            format.grouping = self.flag(node).unwrap_or(false);
        }
        format
    }
}
