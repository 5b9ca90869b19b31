//! What is told of a budget, once each a month, and how that goes out.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Account, Subject};
use crate::money::NanoDollars;
use crate::time::{Month, Timestamp};

/// At which parts of a budget it is told, in percent.
pub const NOTICES: [u8; 3] = [50, 80, 100];
/// Notices that are kept.
const NOTICES_MAX: usize = 36;
/// How often one is sent before it is given up.
pub const TRIES: u32 = 6;
/// For how long a sender has it to itself.
const CLAIM: Duration = Duration::from_secs(60);

/// That so much of a month's budget is used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    pub month: Month,
    pub percent: u8,
    pub at: Timestamp,
    /// The limit that it was a part of: of another the same may be told again.
    pub limit: NanoDollars,
    /// Where it is sent to anybody besides being shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delivery: Option<Delivery>,
}

/// How much of a limit that holds was told to be used this month.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whose limit it is.
    pub of: Subject,
    pub percent: u8,
    pub limit: NanoDollars,
}

/// How the sending of a notice stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "lowercase")]
pub enum Delivery {
    /// `tries` failed or are under way; the next comes no earlier than `next`.
    Waiting {
        tries: u32,
        next: Timestamp,
    },
    Sent {
        at: Timestamp,
    },
    /// Given up, and why the last try failed.
    Dead {
        at: Timestamp,
        why: String,
    },
}

/// Before a try, by how many failed: 10 s, 1 min, 5 min, 30 min, 2 h.
fn pause(failed: u32) -> Duration {
    const PAUSES: [u64; 5] = [10, 60, 300, 1800, 7200];
    let index = usize::try_from(failed.saturating_sub(1)).unwrap_or(usize::MAX).min(PAUSES.len() - 1);
    Duration::from_secs(PAUSES[index])
}

impl Delivery {
    /// Of one that is to be sent at once.
    pub fn due(now: Timestamp) -> Self {
        Self::Waiting { tries: 0, next: now }
    }

    /// That somebody tries it now, if it is time.
    pub fn claimed(&self, now: Timestamp) -> Option<Self> {
        match self {
            Self::Waiting { tries, next } if *next <= now => {
                Some(Self::Waiting { tries: tries + 1, next: now.after(CLAIM) })
            }
            _ => None,
        }
    }

    /// What a try that was claimed came to.
    pub fn tried(&self, outcome: Result<(), String>, now: Timestamp) -> Self {
        match (self, outcome) {
            (Self::Waiting { .. }, Ok(())) => Self::Sent { at: now },
            (Self::Waiting { tries, .. }, Err(why)) if *tries >= TRIES => Self::Dead { at: now, why },
            (Self::Waiting { tries, .. }, Err(_)) => {
                Self::Waiting { tries: *tries, next: now.after(pause(*tries)) }
            }
            (ended, _) => ended.clone(),
        }
    }
}

impl Account {
    /// The account with the notices that are due, to be sent or only shown;
    /// `None` when none is.
    pub fn noticed(&self, spent: NanoDollars, sends: bool, now: Timestamp) -> Option<Self> {
        let (used, limit, month) = (self.budget.used(spent)?, self.budget.month?, now.month());
        let told = |percent| self.told(month).is_some_and(|told| told >= percent);
        let due = NOTICES.into_iter().filter(|percent| used >= u64::from(*percent) && !told(*percent));
        let notice = |percent| {
            let delivery = sends.then(|| Delivery::due(now));
            Notice { month, percent, at: now, limit, delivery }
        };
        let due: Vec<Notice> = due.map(notice).collect();
        if due.is_empty() {
            return None;
        }
        let mut account = self.clone();
        account.notices.extend(due);
        account.notices.drain(..account.notices.len().saturating_sub(NOTICES_MAX));
        Some(account)
    }

    /// The furthest that was told of a month, by the limit that holds.
    pub fn told(&self, month: Month) -> Option<u8> {
        let holds = |notice: &&Notice| notice.month == month && Some(notice.limit) == self.budget.month;
        self.notices.iter().filter(holds).map(|notice| notice.percent).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Budget, Subject};

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn dollars(cents: i64) -> NanoDollars {
        NanoDollars(cents * 10_000_000)
    }

    #[test]
    fn each_part_of_a_budget_is_told_once_a_month() {
        let budget = Budget { month: Some(dollars(100)), ..Budget::default() };
        let account = Account { budget, ..Account::new(Subject::Fleet) };
        assert_eq!(account.noticed(dollars(49), true, NOW), None);
        let half = account.noticed(dollars(50), true, NOW).unwrap();
        assert_eq!(half.notices[0].delivery, Some(Delivery::due(NOW)));
        assert_eq!(half.noticed(dollars(79), true, NOW), None);
        let all = half.noticed(dollars(250), false, NOW).unwrap();
        assert_eq!(all.notices.iter().map(|notice| notice.percent).collect::<Vec<_>>(), [50, 80, 100]);
        assert_eq!((all.notices[2].delivery.clone(), all.told(NOW.month())), (None, Some(100)));
        assert_eq!(all.noticed(dollars(300), true, NOW), None);
        let raised = Budget { month: Some(dollars(400)), ..Budget::default() };
        let raised = Account { budget: raised, ..all.clone() };
        assert_eq!(raised.told(NOW.month()), None);
        assert_eq!(raised.noticed(dollars(300), true, NOW).unwrap().told(NOW.month()), Some(50));
        let next = NOW.month().next().start();
        assert_eq!(all.noticed(dollars(0), true, next), None);
        assert_eq!(all.noticed(dollars(51), true, next).unwrap().notices.len(), 4);
    }

    #[test]
    fn one_that_nobody_takes_is_given_up_after_a_few_hours() {
        let (mut delivery, mut now) = (Delivery::due(NOW), NOW);
        for tried in 1..=TRIES {
            delivery = delivery.claimed(now).unwrap();
            assert_eq!(delivery.claimed(now), None, "one sender at a time");
            delivery = delivery.tried(Err("no answer".to_owned()), now);
            if tried < TRIES {
                let Delivery::Waiting { next, .. } = delivery else { panic!("{delivery:?}") };
                now = next;
            }
        }
        assert_eq!(delivery, Delivery::Dead { at: now, why: "no answer".to_owned() });
        assert!(now.since(NOW) < Duration::from_secs(3 * 3600));
        assert_eq!(delivery.claimed(now.after(CLAIM)), None);
    }

    #[test]
    fn a_sender_that_died_is_followed_by_another() {
        let claimed = Delivery::due(NOW).claimed(NOW).unwrap();
        let again = claimed.claimed(NOW.after(CLAIM)).unwrap();
        assert_eq!(again.tried(Ok(()), NOW), Delivery::Sent { at: NOW });
    }
}
