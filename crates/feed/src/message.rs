//! Records that come one by one: the messages of a stream, each one a record of JSON.
//!
//! The same decoding, party data and splitting as for files, without what only files have: framing, headers, an order among inputs. Who
//! stamps, numbers and merges is the caller. Party data may change between two records; what a leg says is what was known when it was split.

use std::ops::Range;
use std::sync::Arc;

use weir_model::{EventTime, Party, Reason};

use crate::batch::Outcome;
use crate::block::{Context, InputContext};
use crate::error::Error;
use crate::inputs::Format;
use crate::legs::{LegBatch, LegView};
use crate::mapping::{From, Mapping, Own};
use crate::opening::Binding;
use crate::row::Names;
use crate::tags::Tagger;
use crate::text::Encoding;

/// A record as it came.
#[derive(Debug, Clone, Copy)]
pub struct Message<'m> {
    /// Its bytes.
    pub bytes: &'m [u8],
    /// When it was received: what lies more than ten minutes after it is rejected as future-dated. `None`: nothing is.
    pub received: Option<EventTime>,
}

/// Decodes and splits messages.
pub struct MessageDecoder {
    context: Context,
}

/// What became of some messages.
#[derive(Debug, Default)]
pub struct DecodedMessages {
    outcomes: Vec<Outcome>,
    legs: LegBatch,
}

/// What became of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decoded {
    /// Its event time, and which legs are its.
    Legs {
        /// Event time.
        at: EventTime,
        /// For [`DecodedMessages::leg`].
        legs: Range<usize>,
    },
    /// None: a dead letter.
    Rejected {
        /// Why.
        reason: Reason,
        /// Record field; empty where the record as a whole is meant.
        field: &'static str,
    },
}

impl MessageDecoder {
    /// A decoder without party data. Without `own:` in the mapping, customers are monitored where the mapping has customer numbers (the
    /// default mapping has), else all accounts.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a mapping that needs files: serials made of row numbers.
    pub fn new(mapping: Mapping) -> Result<Self, Error> {
        let refuse = |what: &str| Error::Unsupported { path: "messages".to_owned(), what: what.to_owned() };
        if mapping.plan.txn_id.from == From::RowNumber {
            return Err(refuse("serials made of row numbers need files; messages need a serial of their own"));
        }
        let own = mapping.own.clone().unwrap_or(if mapping.customer_slots().is_empty() { Own::All } else { Own::Customer });
        let names = Names::new(mapping.columns.iter().map(|column| column.name.as_str()));
        // `format` and `encoding` of another format speak of files, of which each record becomes a message of JSON (`Reader::message`).
        let is_json = mapping.format.is_none_or(|format| format == Format::Jsonl);
        let encoding = mapping.encoding.filter(|_| is_json).unwrap_or(Encoding::Utf8);
        let inputs = vec![InputContext { label: String::new(), encoding, binding: Binding::Json }];
        let context = Context { mapping, names, own, parties: Arc::default(), tagger: Tagger::new(&[]), now: None, inputs };
        Ok(Self { context })
    }

    /// Keyword lists for memo tags from now on: the i-th owns bit i.
    pub fn set_tags(&mut self, tags: &[(String, Vec<String>)]) {
        self.context.tagger = Tagger::new(tags);
    }

    /// Takes a party in, or in place of what was known of that customer.
    ///
    /// # Errors
    /// A message where one of its accounts belongs to another customer; what was known of the customer stays then.
    pub fn put_party(&mut self, party: Party) -> Result<(), String> {
        Arc::make_mut(&mut self.context.parties).replace(party)
    }

    /// Forgets a customer.
    pub fn remove_party(&mut self, institution: &str, customer: &str) {
        Arc::make_mut(&mut self.context.parties).remove(institution, customer);
    }

    /// The reporting bank of records that name none.
    #[must_use]
    pub fn institution(&self) -> &str {
        self.context.mapping.institution()
    }

    /// Decodes messages in order.
    pub fn decode<'m>(&self, messages: impl Iterator<Item = Message<'m>>) -> DecodedMessages {
        let (outcomes, legs) = self.context.decode_messages(messages);
        DecodedMessages { outcomes, legs }
    }
}

impl DecodedMessages {
    /// What became of each message, in order.
    pub fn iter(&self) -> impl Iterator<Item = Decoded> {
        self.outcomes.iter().map(|outcome| match *outcome {
            Outcome::Good { at, first, end } => Decoded::Legs { at, legs: first..end },
            Outcome::Bad { reason, field } => Decoded::Rejected { reason, field },
        })
    }

    /// A leg by its number.
    #[must_use]
    pub fn leg(&self, number: usize) -> Option<LegView<'_>> {
        self.legs.get(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_become_legs_or_reasons() {
        let decoder = MessageDecoder::new(Mapping::default()).expect("the default mapping");
        let good = br#"{"txn_id":"1","occurred_at":"2026-01-02T03:04:05+08:00","amount":"5.00","payer_customer":"A","payee_customer":"B"}"#;
        let at = EventTime(1_767_294_245_000_000);
        let message = |bytes: &'static [u8], received| Message { bytes, received };
        let early = EventTime(at.0 - 3_600_000_000);
        let messages = [message(good, None), message(b"{", None), message(good, Some(early)), message(good, Some(at))];
        let decoded = decoder.decode(messages.into_iter());
        let outcomes: Vec<Decoded> = decoded.iter().collect();
        assert_eq!(outcomes[0], Decoded::Legs { at, legs: 0..2 });
        assert_eq!(outcomes[1], Decoded::Rejected { reason: Reason::Malformed, field: "" });
        assert_eq!(outcomes[2], Decoded::Rejected { reason: Reason::FutureDated, field: "occurred_at" });
        assert_eq!(outcomes[3], Decoded::Legs { at, legs: 2..4 });
        assert_eq!(decoded.leg(1).map(|view| view.leg.party), Some("c:B"));
    }
}
