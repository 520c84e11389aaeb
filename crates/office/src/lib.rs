//! Who is told of an alert, and what: names for people, offices by division, and the messages that leave the bank.
//!
//! The detector speaks of party keys and divisions; here they become names, accounts and addressees ([`Directory`], [`Routing`]), and an
//! alert becomes the messages to leading-group offices ([`Desk`]). Files and streams share all of it. Nothing here decides whether there is an
//! alert, and nothing leaves the bank but the allow-list of [`weir_model::Alert::for_office`].

mod desk;
mod directory;
mod routing;

pub use desk::{Desk, Release, Settings};
pub use directory::{Directory, SavedParty, Side};
pub use routing::{Routing, RoutingError, UNRESOLVED};
