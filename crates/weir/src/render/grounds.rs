//! Why an alert was raised: its conditions, each with its mark, and the exclusions that were looked at.
//!
//! What brought no points steps back. Decides nothing: outcomes are those of the alert.

use weir_model::alert::{Condition, ExclusionConsidered, Parts};
use weir_rules::{RuleSet, without_outcome};

use super::Sheet;
use crate::language::{plural, say};
use crate::terminal::{left, right, wrapped};

/// From this width on a condition and its clause share a line.
const WIDE_COLUMNS: usize = 110;
/// Columns for a condition before its clause, where both share a line.
const CONDITION_COLUMNS: usize = 66;

impl Sheet<'_> {
    pub(super) fn conditions(&self) -> Vec<String> {
        let mut lines = vec![String::new(), self.heading("为什么命中", "Why")];
        lines.extend(self.alert.conditions.iter().flat_map(|condition| self.condition(condition)));
        // That nobody was paid in batches is nothing a reader could do anything about.
        let gaps: Vec<&str> = self.alert.data_gaps.iter().map(String::as_str).filter(|gap| lacks_data(gap)).collect();
        if !gaps.is_empty() {
            let gaps = gaps.join(self.lang.of("；", "; "));
            lines.extend(self.remark(&say!(self.lang, "数据说明：{gaps}", "data: {gaps}")));
        }
        lines
    }

    /// Secondary text below the conditions.
    fn remark(&self, text: &str) -> Vec<String> {
        wrapped(text, self.columns - 4).iter().map(|line| format!("    {}", self.palette.dim(line))).collect()
    }

    /// Mark, points, what was measured, clause; long ones go on in the lines below, each in its column, operands of a joint condition have lines of
    /// their own.
    fn condition(&self, condition: &Condition) -> Vec<String> {
        let points = match (condition.points, condition.met) {
            (None, _) => "    ".to_owned(),
            (Some(points), Some(true)) => right(&format!("{points:+}"), 4),
            (Some(_), _) => right("·", 4),
        };
        // A score item that holds says why in its own words.
        let parts = condition.parts.as_ref().filter(|_| condition.points.is_none() || condition.met != Some(true));
        let text = match parts {
            Some(Parts::Any(_)) => self.lang.of("以下任一成立", "one of these holds"),
            Some(Parts::All(_)) => self.lang.of("以下全部成立", "all of these hold"),
            None if condition.explain.is_empty() => &condition.text,
            None => without_outcome(&condition.explain, condition.met),
        };
        // What brought no points steps back, so that the eye finds what did.
        let steps_back = condition.points.is_some() && condition.met != Some(true);
        let shade = |text: &str| if steps_back { self.palette.dim(text) } else { text.to_owned() };
        let clause = condition.clause.as_deref().unwrap_or_default();
        let is_wide = self.columns >= WIDE_COLUMNS;
        let room = if is_wide { CONDITION_COLUMNS } else { self.columns - 12 };
        let texts = wrapped(text, room);
        let clauses = match clause {
            "" => Vec::new(),
            clause if is_wide => wrapped(clause, self.columns - 12 - CONDITION_COLUMNS - 2),
            clause => wrapped(clause, room),
        };
        let beside = if is_wide { clauses.as_slice() } else { &[] };
        let line = |at: usize| {
            let text = texts.get(at).map_or("", String::as_str);
            match beside.get(at) {
                Some(clause) => format!("{}  {}", shade(&left(text, CONDITION_COLUMNS)), self.palette.dim(clause)),
                None => shade(text),
            }
        };
        let mut lines = vec![format!("    {} {points}  {}", self.mark(condition.met), line(0))];
        lines.extend((1..texts.len().max(beside.len())).map(|at| format!("            {}", line(at))));
        if let Some(Parts::Any(parts) | Parts::All(parts)) = parts {
            for part in parts {
                let mut texts = wrapped(without_outcome(&part.explain, part.met), room - 2).into_iter();
                let first = texts.next().unwrap_or_default();
                lines.push(format!("            {} {}", self.mark(part.met), shade(&first)));
                lines.extend(texts.map(|text| format!("              {}", shade(&text))));
            }
        }
        if !is_wide {
            lines.extend(clauses.iter().map(|clause| format!("            {}", self.palette.dim(clause))));
        }
        lines
    }

    fn mark(&self, met: Option<bool>) -> String {
        let (mark, style) = match met {
            Some(true) => ("✓", "32"),
            Some(false) => ("✗", "2"),
            None => ("?", "33"),
        };
        self.palette.paint(style, mark)
    }

    /// What would have silenced the rule: looked at and found not to apply, or not to be judged for want of data.
    pub(super) fn exclusions(&self) -> Vec<String> {
        let considered = &self.alert.exclusions_considered;
        let with = |held: Option<bool>| considered.iter().filter(|one| one.held == held).collect::<Vec<_>>();
        let (judged, unknown, ended) = (with(Some(false)), with(None), with(Some(true)));
        let reasons = |of: &[&ExclusionConsidered]| {
            let reasons: Vec<&str> = of.iter().map(|one| one.reason.as_str()).collect();
            reasons.join(self.lang.of("；", "; "))
        };
        let mut lines = Vec::new();
        if !judged.is_empty() {
            let (count, reasons) = (judged.len(), reasons(&judged));
            let many = format!("none of {count} exclusions applies");
            let en = plural(count, "1 exclusion does not apply", &many);
            lines.extend(self.remark(&say!(self.lang, "不属于以下 {count} 种可排除的情形：{reasons}", "{en}: {reasons}")));
        }
        if !unknown.is_empty() {
            let (count, reasons) = (unknown.len(), reasons(&unknown));
            let noun = plural(count, "exclusion", "exclusions");
            lines.extend(self.remark(&say!(
                self.lang,
                "缺资料，无法判断是否属于以下 {count} 种可排除的情形：{reasons}",
                "{count} {noun} could not be judged for want of data: {reasons}"
            )));
        }
        for ExclusionConsidered { reason, owner, until, .. } in ended {
            lines.extend(self.remark(&say!(
                self.lang,
                "本可排除，但该排除情形已于 {until} 到期（{owner}负责）：{reason}",
                "an exclusion would apply, but it ended on {until} ({owner} answers for it): {reason}"
            )));
        }
        lines
    }
}

/// Whether better data would close a gap. What only has not happened nobody can bring; a gap that is not of a feature is one of data.
fn lacks_data(gap: &str) -> bool {
    RuleSet::feature_of_gap(gap).is_none_or(|feature| feature.lacks().iter().any(|lack| lack.is_of_data()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_not_happened_is_told_from_what_is_not_known() {
        for (gap, expected) in [
            ("批次（至少10人）周期一致率（batch_regularity(200d, 10)）无法评估", false),
            ("转出集中度（hhi_out(14d)）无法评估", false),
            ("夜间占比（night_share(14d)）无法评估", true),
            ("3笔外币交易无人民币折算，金额按零计", true),
        ] {
            assert_eq!(lacks_data(gap), expected, "{gap}");
        }
    }
}
