//! What an alert rests on, as far as it fits on a screen: the largest payers and payees, the latest batches.

use weir_model::Direction;
use weir_model::alert::{Batch, CounterpartyFlow};

use super::{Sheet, minute};
use crate::language::{plural, say};
use crate::terminal::{grouped, grouped_yuan, left, right, shortened};

/// Counterparties and batches shown.
const ROWS_MAX: usize = 5;
/// Columns of a counterparty's row besides its identity and its last date: mark, kind, amount, count, amount back.
const FLOW_COLUMNS: usize = 4 + 8 + 16 + 8 + 16;
/// Columns of a last date with the gap before it.
const DATE_COLUMNS: usize = 18;

impl Sheet<'_> {
    /// Payers or payees with their sums.
    pub(super) fn flows(&self, direction: Direction) -> Vec<String> {
        let evidence = &self.alert.evidence;
        let (flows, total, heading) = match direction {
            Direction::In => (&evidence.payers, evidence.payers_total, self.lang.of("付款方", "Payers")),
            Direction::Out => (&evidence.payees, evidence.payees_total, self.lang.of("收款方", "Payees")),
        };
        if flows.is_empty() {
            return Vec::new();
        }
        let shown = flows.len().min(ROWS_MAX);
        let back = match direction {
            Direction::In => self.lang.of("曾付回", "paid back"),
            Direction::Out => self.lang.of("曾转入", "had paid in"),
        };
        let title = say!(self.lang, "{heading}（前 {shown}，共 {total}）", "{heading} ({shown} of {total})");
        let columns = format!(
            "{}{}{}{}",
            right(self.lang.of("金额（元）", "amount (yuan)"), 16),
            right(self.lang.of("笔数", "count"), 8),
            right(back, 16),
            if self.shows_dates() { self.lang.of("  末次", "  last") } else { "" },
        );
        let title = left(&title, self.party_columns() + 10);
        let mut lines = vec![String::new(), format!("  {}{}", self.palette.bold(&title), self.palette.dim(&columns))];
        lines.extend(flows.iter().take(shown).map(|flow| self.flow(flow)));
        lines
    }

    /// Columns for the identity of a counterparty.
    fn party_columns(&self) -> usize {
        let dates = if self.shows_dates() { DATE_COLUMNS } else { 0 };
        (self.columns - FLOW_COLUMNS - dates).min(34)
    }

    fn shows_dates(&self) -> bool {
        self.columns >= FLOW_COLUMNS + DATE_COLUMNS + 24
    }

    fn flow(&self, flow: &CounterpartyFlow) -> String {
        let columns = self.party_columns();
        let last = if self.shows_dates() { format!("  {}", minute(&flow.last)) } else { String::new() };
        format!(
            "    {}{}{}{}{}{}",
            left(&shortened(&flow.id, columns - 1), columns),
            self.palette.dim(&left(self.kind(flow.kind), 8)),
            right(&grouped_yuan(&flow.amount), 16),
            right(&grouped(flow.count.into()), 8),
            right(&grouped_yuan(&flow.amount_back), 16),
            self.palette.dim(&last)
        )
    }

    pub(super) fn batches(&self) -> Vec<String> {
        let evidence = &self.alert.evidence;
        if evidence.batches.is_empty() {
            return Vec::new();
        }
        let (shown, total) = (evidence.batches.len().min(ROWS_MAX), evidence.batches_total);
        let heading = say!(self.lang, "批量转出（近 {shown} 批，共 {total} 批）", "Batches paid (latest {shown} of {total})");
        let mut lines = vec![String::new(), format!("  {}", self.palette.bold(&heading))];
        let latest = &evidence.batches[evidence.batches.len() - shown..];
        lines.extend(latest.iter().map(|batch| self.batch(batch)));
        lines
    }

    fn batch(&self, batch: &Batch) -> String {
        let people = batch.payees;
        let noun = plural(people, "person", "people");
        let people = right(&say!(self.lang, "{people} 人", "{people} {noun}"), 12);
        let again = match batch.again {
            Some(again) => say!(self.lang, "{again} 人上批也收过", "{again} of them paid the time before"),
            None => String::new(),
        };
        format!("    {}{people}{}   {}", batch.day, right(&self.money(&batch.amount), 18), self.palette.dim(&again)).trim_end().to_owned()
    }
}
