//! Effects become records: named, addressed, in JSON, with the headers of CloudEvents 1.0, chained into the digest.
//!
//! Bytes depend on the log alone, so what is said again after a crash is the same to the last byte. What goes to `weir.office` is the
//! allow-list of [`weir_model::Alert::for_office`] and nothing else; a large-amount report never does.

use std::sync::Arc;

use serde::Serialize;
use weir_engine::{AlertEffect, Effects, RejectEffect, ReportEffect};
use weir_model::alert::LogPosition;
use weir_model::{EventTime, LegSetAside, Reason, TransactionPosition};
use weir_office::{Routing, UNRESOLVED};

use super::partition::State;
use crate::digest::Said;
use crate::letters::{Letter, Stage};
use crate::metrics::Metrics;
use crate::outbox::{Header, Outbox};
use crate::settings::{DetectSettings, Topics};
use crate::wire::Source;

/// What turns effects into records.
pub(crate) struct Sayer {
    topics: Topics,
    routing: Arc<Routing>,
    office: weir_office::Settings,
    metrics: Metrics,
}

impl Sayer {
    pub(crate) fn new(topics: &Topics, settings: &DetectSettings, metrics: Metrics) -> Self {
        Self { topics: topics.clone(), routing: Arc::clone(&settings.routing), office: settings.office.clone(), metrics }
    }

    /// Says all effects of a step.
    pub(crate) fn say(
        &self,
        partition: i32,
        state: &mut State,
        effects: &mut Effects,
        source_of: &dyn Fn(u64) -> Option<Source>,
        is_replay: bool,
        outbox: &mut Outbox,
    ) {
        for effect in effects.alerts.drain(..) {
            self.alert(partition, state, effect, is_replay, outbox);
        }
        for effect in effects.reports.drain(..) {
            self.report(state, &effect, is_replay, outbox);
        }
        for effect in effects.rejects.drain(..) {
            self.reject(state, &effect, source_of, is_replay, outbox);
        }
        if !is_replay {
            self.metrics.duplicates.with_label_values(&[] as &[&str]).inc_by(effects.counts.duplicates);
            self.metrics.bounds.with_label_values(&["party_legs_max"]).inc_by(effects.counts.legs_dropped);
        }
    }

    fn alert(&self, partition: i32, state: &mut State, effect: AlertEffect, is_replay: bool, outbox: &mut Outbox) {
        let AlertEffect { record, mut alert, .. } = effect;
        let party = alert.subject.party.as_str();
        alert.subject.name = state.directory.name(party, record).to_owned();
        alert.subject.accounts = state.directory.accounts(party, record);
        let basis = state.directory.basis(party, record);
        alert.detected_from = LogPosition { source: self.topics.legs.to_string(), partition, offset: record };
        // Addressees come from a file of the bank's that may change: the digest is of what the log alone decides.
        let mut said = Vec::new();
        json(&alert, &mut said);
        state.digest.said(Said::Alert, &said);
        let (routing, subject) = (&self.routing, &alert.subject);
        alert.addressees = state.desk.addressees(&alert.alert_id, || routing.addressees(&subject.division, basis, &subject.industry));
        let headers = cloud_event(
            "cn.weir.alert",
            &self.topics.legs,
            partition,
            &format!("{}/{}", alert.alert_id, alert.revision),
            &alert.last_hit_at,
        );
        let key = alert.subject.party.as_bytes();
        outbox.push(&self.topics.alerts, None, key, headers, |bytes| json(&alert, bytes));
        // The largest stamp so far: later than what caused this, at most, and then it is forgotten later. What is forgotten can say nothing more, so a replay that
        // is cut otherwise says the same.
        let clock = state.clock.unwrap_or(EventTime::MIN);
        for message in state.desk.messages(&alert, &self.office, clock) {
            let to = message.addressee.division.as_str();
            let id = format!("{}/{}/{to}", message.alert_id, message.revision);
            let headers = cloud_event("cn.weir.office-alert", &self.topics.legs, partition, &id, &alert.last_hit_at);
            outbox.push(&self.topics.office, None, to.as_bytes(), headers, |bytes| json(&message, bytes));
            if !is_replay {
                let resolved = if to == UNRESOLVED { "no" } else { "yes" };
                self.metrics.office_messages.with_label_values(&[resolved]).inc();
            }
        }
        if !is_replay {
            let status = serde_json::to_value(alert.status).ok();
            let status = status.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            self.metrics.alerts.with_label_values(&[alert.rule.id.as_str(), alert.level.name(), status]).inc();
        }
    }

    fn report(&self, state: &mut State, effect: &ReportEffect, is_replay: bool, outbox: &mut Outbox) {
        let report = &effect.report;
        let value = outbox.push(&self.topics.large_amount, None, report.customer.as_bytes(), Vec::new(), |bytes| json(report, bytes));
        state.digest.said(Said::Report, value);
        if !is_replay {
            let status = serde_json::to_value(report.status).ok();
            let status = status.as_ref().and_then(serde_json::Value::as_str).unwrap_or_default();
            self.metrics.large_amounts.with_label_values(&[&report.item.number().to_string(), status]).inc();
        }
    }

    fn reject(
        &self,
        state: &mut State,
        effect: &RejectEffect,
        source_of: &dyn Fn(u64) -> Option<Source>,
        is_replay: bool,
        outbox: &mut Outbox,
    ) {
        let number = effect.rejected_record;
        let source = source_of(number).or_else(|| state.waiting.get(&number).map(|(source, _)| *source));
        let topic = &self.topics.transactions;
        let position =
            |source: Source| TransactionPosition { topic: topic.to_string(), partition: source.partition, offset: source.offset };
        let row = LegSetAside {
            reason: effect.reason,
            transaction: source.map(position),
            party: effect.party.clone(),
            txn_id: effect.txn_id.clone(),
            direction: effect.direction,
            occurred_at: effect.at.to_string(),
            amount: effect.amount.map(|fen| weir_model::Fen(fen).to_string()),
            frontier: effect.frontier.to_string(),
            report_ids: effect.report_ids.clone(),
        };
        let key = effect.party.as_bytes();
        let value = if effect.reason.is_late() {
            outbox.push(&self.topics.late, None, key, Vec::new(), |bytes| json(&row, bytes))
        } else {
            let field = if effect.reason == Reason::PartialReversal { "amount" } else { "txn_id" };
            let position = source.map(|source| (source.partition, source.offset));
            let letter = Letter { topic, position, stage: Stage::Detect, reason: effect.reason, field };
            outbox.push(&self.topics.dead_letter, None, key, letter.headers(), |bytes| json(&row, bytes))
        };
        state.digest.said(Said::Reject, value);
        if !is_replay {
            let code = effect.reason.code();
            if effect.reason.is_late() {
                self.metrics.late.with_label_values(&[code]).inc();
            } else {
                self.metrics.dead_letters.with_label_values(&["detect", code]).inc();
            }
        }
    }
}

/// Attributes of a CloudEvent in Kafka's binary form.
fn cloud_event(kind: &str, topic: &str, partition: i32, id: &str, time: &str) -> Vec<Header> {
    vec![
        ("ce_specversion", "1.0".to_owned()),
        ("ce_type", kind.to_owned()),
        ("ce_source", format!("/weir/{topic}/{partition}")),
        ("ce_id", id.to_owned()),
        ("ce_time", time.to_owned()),
        ("content-type", "application/json; charset=utf-8".to_owned()),
    ]
}

fn json(value: &impl Serialize, bytes: &mut Vec<u8>) {
    serde_json::to_writer(bytes, value).expect("plain values in memory always have a JSON form");
}
