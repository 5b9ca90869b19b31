//! Looks an installation over, piece by piece, and says the mend for each miss.
//! It changes nothing but objects of its own in the bucket, which it removes.

mod account;
mod ask;
mod network;
mod rights;
mod storage;

use aws_config::SdkConfig;
use serde::Serialize;

use super::{Account, Installation};
use ask::Asks;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    Good,
    /// It works, or could not be looked at.
    Doubtful,
    Bad,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub subject: &'static str,
    pub state: State,
    pub text: String,
    /// What to do, if anything.
    pub mend: Option<String>,
}

/// What was found so far of one subject.
struct Findings {
    subject: &'static str,
    all: Vec<Finding>,
}

impl Findings {
    fn of(subject: &'static str) -> Self {
        Self { subject, all: Vec::new() }
    }

    fn add(&mut self, state: State, text: impl Into<String>, mend: Option<String>) {
        self.all.push(Finding { subject: self.subject, state, text: text.into(), mend });
    }

    fn good(&mut self, text: impl Into<String>) {
        self.add(State::Good, text, None);
    }

    fn doubtful(&mut self, text: impl Into<String>, mend: impl Into<String>) {
        self.add(State::Doubtful, text, Some(mend.into()));
    }

    fn bad(&mut self, text: impl Into<String>, mend: impl Into<String>) {
        self.add(State::Bad, text, Some(mend.into()));
    }

    /// What could not be looked at because the one who asks may not look.
    fn unseen(&mut self, what: &str, why: &ask::Refused) {
        self.doubtful(format!("{what} could not be looked at: {why}"), why.mend());
    }
}

impl Account {
    /// Looks everything over. `principal` is the role whose rights are looked
    /// at, if not the caller's own.
    pub async fn examine(&self, installation: &Installation, principal: Option<&str>) -> Vec<Finding> {
        let asks = match Asks::new(&self.0).await {
            Ok(asks) => asks,
            Err(why) => {
                let mut none = Findings::of("credentials");
                none.bad(why, "set AWS_PROFILE or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
                return none.all;
            }
        };
        let (mut all, caller) = account::credentials(&asks).await;
        // Without them nothing else has an answer that means something.
        let Some(caller) = caller else { return all };
        let sdk: &SdkConfig = &self.0;
        let (rights, quotas, image, network, tables, bucket, queue, cluster) = tokio::join!(
            rights::look(&asks, sdk, installation, &caller, principal),
            account::quotas(&asks),
            account::images(&asks, sdk, installation),
            network::look(&asks, installation),
            storage::tables(sdk, installation),
            storage::bucket(sdk, installation),
            storage::queue(sdk, installation),
            account::cluster(sdk, installation),
        );
        for found in [rights, quotas, image, network, tables, bucket, queue, cluster] {
            all.extend(found);
        }
        all
    }
}
