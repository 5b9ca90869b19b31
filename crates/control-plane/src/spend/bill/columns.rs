//! Where a report has what, and what one of its lines says.

use std::collections::BTreeMap;

use csv::StringRecord;
use domain::id::{AgentId, Generation, UserId};
use domain::price::Purchase;
use domain::time::{Day, Timestamp};

use super::{Decimal, Tagged};

/// Lines that are use, and have its price; the rest are discounts, credits, taxes.
const USE: [&str; 3] = ["Usage", "DiscountedUsage", "SavingsPlanCoveredUsage"];

/// A tag's name in both kinds of report, after [`plain`].
const AGENT: &str = "openclaw_agent";
const OWNER: &str = "openclaw_owner";
const GENERATION: &str = "openclaw_generation";

pub struct Columns {
    product: usize,
    usage_type: usize,
    line_type: usize,
    start: usize,
    end: usize,
    amount: usize,
    cost: usize,
    currency: Option<usize>,
    tags: Tags,
}

enum Tags {
    /// Legacy: a column each.
    Columns { agent: usize, owner: Option<usize>, generation: Option<usize> },
    /// 2.0: a map in JSON.
    Map(usize),
}

/// What of a machine a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Vcpu,
    Memory,
}

/// A line, as far as it matters here.
pub struct LineItem<'a> {
    pub product: &'a str,
    pub usage_type: &'a str,
    pub line_type: &'a str,
    pub start: Timestamp,
    pub end: Timestamp,
    pub amount: Decimal,
    pub cost: Decimal,
    agent: String,
    owner: String,
    generation: String,
}

/// One spelling of what the two kinds of report call the same: of
/// `lineItem/UsageType` and `line_item_usage_type` the second.
fn plain(name: &str) -> String {
    let mut plain = String::with_capacity(name.len() + 4);
    let mut before = '_';
    for letter in name.trim().chars() {
        if letter.is_ascii_uppercase() && before.is_ascii_lowercase() {
            plain.push('_');
        }
        plain.push(if letter.is_ascii_alphanumeric() { letter.to_ascii_lowercase() } else { '_' });
        before = letter;
    }
    plain
}

impl Columns {
    pub fn of(names: &StringRecord) -> Result<Self, String> {
        let names: Vec<String> = names.iter().map(plain).collect();
        let find = |name: &str| names.iter().position(|known| known == name);
        let need = |name: &str| find(name).ok_or_else(|| format!("it has no column {name}"));
        let tag = |name: &str| find(&format!("resource_tags_user_{name}"));
        let tags = match (tag(AGENT), find("resource_tags")) {
            (Some(agent), _) => Tags::Columns { agent, owner: tag(OWNER), generation: tag(GENERATION) },
            (None, Some(map)) => Tags::Map(map),
            (None, None) => {
                return Err(
                    "it has no column of the tag openclaw:agent: activate it as a cost allocation tag"
                        .to_owned(),
                );
            }
        };
        Ok(Self {
            product: need("line_item_product_code")?,
            usage_type: need("line_item_usage_type")?,
            line_type: need("line_item_line_item_type")?,
            start: need("line_item_usage_start_date")?,
            end: need("line_item_usage_end_date")?,
            amount: need("line_item_usage_amount")?,
            cost: need("line_item_unblended_cost")?,
            currency: find("line_item_currency_code"),
            tags,
        })
    }

    pub fn read<'a>(&self, record: &'a StringRecord) -> Result<LineItem<'a>, String> {
        let field = |column: usize| record.get(column).unwrap_or_default();
        let number = |column: usize| match field(column) {
            // Fees and credits have no amount.
            "" => Ok(Decimal::default()),
            text => text.parse().map_err(|_| format!("{text:?} is not a number")),
        };
        let instant = |column: usize| {
            let text = field(column);
            instant(text).ok_or_else(|| format!("{text:?} is not an instant in UTC"))
        };
        if let Some(currency) = self.currency.map(field).filter(|currency| !["", "USD"].contains(currency)) {
            return Err(format!("it is in {currency}, and the ledger in USD"));
        }
        let owned = |column: Option<usize>| column.map(field).unwrap_or_default().to_owned();
        let [agent, owner, generation] = match self.tags {
            Tags::Columns { agent, owner, generation } => [Some(agent), owner, generation].map(owned),
            Tags::Map(column) => in_map(field(column))?,
        };
        Ok(LineItem {
            product: field(self.product),
            usage_type: field(self.usage_type),
            line_type: field(self.line_type),
            start: instant(self.start)?,
            end: instant(self.end)?,
            amount: number(self.amount)?,
            cost: number(self.cost)?,
            agent,
            owner,
            generation,
        })
    }
}

/// Our tags of a map `{"user_openclaw_agent": "…"}`, whose keys may as well be
/// spelled `user:openclaw:agent`.
fn in_map(text: &str) -> Result<[String; 3], String> {
    // Few lines of an account are ours.
    if !text.contains("openclaw") {
        return Ok(Default::default());
    }
    let map: BTreeMap<String, String> =
        serde_json::from_str(text).map_err(|error| format!("its resource_tags are not a map: {error}"))?;
    let tags: BTreeMap<String, String> = map.into_iter().map(|(key, value)| (plain(&key), value)).collect();
    Ok([AGENT, OWNER, GENERATION].map(|name| tags.get(&format!("user_{name}")).cloned().unwrap_or_default()))
}

/// As in `2026-11-01T00:00:00Z` and `2026-11-01 00:00:00.000`.
fn instant(text: &str) -> Option<Timestamp> {
    let (day, time) = text.split_once(['T', ' '])?;
    let day: Day = day.parse().ok()?;
    let time = time.strip_suffix('Z').unwrap_or(time);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let parts: Vec<&str> = time.split(':').collect();
    let [hour, minute, second] = parts[..] else { return None };
    let number = |text: &str, below: i64| {
        let digits = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse::<i64>().ok().filter(|number| digits && *number < below)
    };
    let seconds = number(hour, 24)? * 3600 + number(minute, 60)? * 60 + number(second, 60)?;
    Some(Timestamp(day.start().0 + seconds * 1000))
}

impl LineItem<'_> {
    /// What of a Fargate machine it bills, and how that was bought.
    pub fn machine(&self) -> Option<(Part, Purchase)> {
        if self.product != "AmazonECS" || !USE.contains(&self.line_type) {
            return None;
        }
        // `USE1-SpotUsage-Fargate-ARM-vCPU-Hours:perCPU`: the region's code is not
        // there for all regions.
        let (before, of) = self.usage_type.split_once("Fargate-")?;
        let (arm, of) = of.strip_prefix("ARM-").map_or((false, of), |of| (true, of));
        let part = match of {
            "vCPU-Hours:perCPU" | "vCPU-Hours" => Part::Vcpu,
            "GB-Hours" => Part::Memory,
            _ => return None,
        };
        let purchase = match (before.ends_with("SpotUsage-"), arm) {
            (true, false) => Purchase::Spot,
            (true, true) => Purchase::SpotArm,
            (false, false) => Purchase::OnDemand,
            (false, true) => Purchase::OnDemandArm,
        };
        Some((part, purchase))
    }

    /// Whom our tags name; none where there are none.
    pub fn tagged(&self) -> Result<Option<Tagged>, String> {
        if self.agent.is_empty() {
            return Ok(None);
        }
        let agent: AgentId =
            self.agent.parse().map_err(|_| format!("openclaw:agent is {:?}, no agent's id", self.agent))?;
        let generation = match self.generation.as_str() {
            "" => None,
            text => {
                let number = text.parse().map_err(|_| format!("openclaw:generation is {text:?}, no number"));
                Some(Generation(number?))
            }
        };
        Ok(Some(Tagged { agent, generation }))
    }

    pub fn owner(&self) -> Result<Option<UserId>, String> {
        match self.owner.as_str() {
            "" => Ok(None),
            text => text.parse().map(Some).map_err(|_| format!("openclaw:owner is {text:?}, nobody's id")),
        }
    }
}
