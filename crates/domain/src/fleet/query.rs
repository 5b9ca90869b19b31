//! What may be asked of a fleet's list, and how an address says it.

use std::cmp::{Ordering, Reverse};

use serde::{Deserialize, Serialize};

use super::{Group, Moment, Owner, Summary, Trouble};
use crate::agent::ProviderName;
use crate::name::Name;
use crate::time::Timestamp;

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    #[default]
    Name,
    Owner,
    Team,
    State,
    Provider,
    /// The isolation of the latest run, the weakest first.
    Tier,
    /// How long the latest boot took.
    Boot,
    /// Since when it is unused; what is in use comes first.
    Idle,
    Rate,
    /// This month's cost.
    Cost,
}

impl Sort {
    pub const ALL: [Self; 10] = [
        Self::Name,
        Self::Owner,
        Self::Team,
        Self::State,
        Self::Provider,
        Self::Tier,
        Self::Boot,
        Self::Idle,
        Self::Rate,
        Self::Cost,
    ];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Owner => "owner",
            Self::Team => "team",
            Self::State => "state",
            Self::Provider => "provider",
            Self::Tier => "tier",
            Self::Boot => "boot",
            Self::Idle => "idle",
            Self::Rate => "rate",
            Self::Cost => "cost",
        }
    }
}

/// An agent with its owner, if that is known.
pub type Owned<'a> = (&'a Summary, Option<&'a Owner>);

/// A window of the list: filtered, sorted, from `offset` on.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Query {
    pub state: Option<Group>,
    pub trouble: Option<Trouble>,
    /// An owner's name, as it is.
    pub owner: Option<String>,
    /// The name of the owner's team, as it is.
    pub team: Option<String>,
    pub provider: Option<ProviderName>,
    /// A part of the agent's name or of its id.
    pub text: String,
    pub sort: Sort,
    pub falling: bool,
    pub offset: u32,
    pub limit: u16,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            state: None,
            trouble: None,
            owner: None,
            team: None,
            provider: None,
            text: String::new(),
            sort: Sort::default(),
            falling: false,
            offset: 0,
            limit: Self::LIMIT,
        }
    }
}

impl Query {
    /// Rows of a window unless told.
    pub const LIMIT: u16 = 60;
    /// Rows of a window at most.
    pub const LIMIT_MAX: u16 = 500;

    /// From an address's parameters. What it does not know, or can't read, is
    /// as if it were not there: an old address still shows a list.
    pub fn from_pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut query = Self::default();
        for (key, value) in pairs {
            match key {
                "state" => query.state = Group::ALL.into_iter().find(|group| group.as_str() == value),
                "trouble" => query.trouble = Trouble::ALL.into_iter().find(|one| one.as_str() == value),
                "owner" if !value.is_empty() => query.owner = Some(value.to_owned()),
                "team" if !value.is_empty() => query.team = Some(value.to_owned()),
                "provider" => {
                    query.provider = ProviderName::ALL.into_iter().find(|name| name.as_str() == value);
                }
                "q" => query.text = value.chars().take(Name::MAX_CHARS).collect(),
                "sort" => {
                    let (name, falling) = value.strip_prefix('-').map_or((value, false), |name| (name, true));
                    if let Some(sort) = Sort::ALL.into_iter().find(|sort| sort.as_str() == name) {
                        (query.sort, query.falling) = (sort, falling);
                    }
                }
                "offset" => query.offset = value.parse().unwrap_or_default(),
                "limit" => {
                    let limit = value.parse::<u32>().unwrap_or(Self::LIMIT.into());
                    query.limit = u16::try_from(limit).unwrap_or(u16::MAX).clamp(1, Self::LIMIT_MAX);
                }
                _ => {}
            }
        }
        query
    }

    /// The parameters that say what differs from [`Query::default`], but for
    /// the window.
    pub fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        if let Some(state) = self.state {
            pairs.push(("state", state.as_str().to_owned()));
        }
        if let Some(trouble) = self.trouble {
            pairs.push(("trouble", trouble.as_str().to_owned()));
        }
        if let Some(owner) = &self.owner {
            pairs.push(("owner", owner.clone()));
        }
        if let Some(team) = &self.team {
            pairs.push(("team", team.clone()));
        }
        if let Some(provider) = self.provider {
            pairs.push(("provider", provider.as_str().to_owned()));
        }
        if !self.text.is_empty() {
            pairs.push(("q", self.text.clone()));
        }
        if (self.sort, self.falling) != Default::default() {
            pairs.push(("sort", format!("{}{}", if self.falling { "-" } else { "" }, self.sort.as_str())));
        }
        pairs
    }

    /// Whether it asks after owners, so that its answer changes when one does.
    pub fn is_by_owner(&self) -> bool {
        self.owner.is_some() || self.team.is_some() || matches!(self.sort, Sort::Owner | Sort::Team)
    }

    /// Whether the filter lets an agent through. `text` is the query's in
    /// lower case, so that it is made once and not for each agent.
    pub fn lets_through(&self, (one, owner): Owned<'_>, text: &str, moment: &Moment<'_>) -> bool {
        self.state.is_none_or(|state| one.state.group() == state)
            && self.trouble.is_none_or(|trouble| one.has(trouble, moment))
            && self.provider.is_none_or(|provider| one.provider == provider)
            && self.owner.as_ref().is_none_or(|name| owner.map(owner_name) == Some(name))
            && self.team.as_ref().is_none_or(|name| owner.and_then(owner_team) == Some(name))
            && (text.is_empty()
                || one.name.as_str().to_lowercase().contains(text)
                || one.id.to_string().contains(text))
    }

    /// The order of two agents; by id where the column says nothing.
    pub fn order(&self, a: Owned<'_>, b: Owned<'_>, now: Timestamp) -> Ordering {
        let ((left, left_owner), (right, right_owner)) = (a, b);
        let idle = |summary: &Summary| (summary.open.is_none(), Reverse(summary.last_use));
        let order = match self.sort {
            Sort::Name => left.name.as_str().cmp(right.name.as_str()),
            Sort::Owner => left_owner.map(owner_name).cmp(&right_owner.map(owner_name)),
            Sort::Team => left_owner.and_then(owner_team).cmp(&right_owner.and_then(owner_team)),
            Sort::State => left.state.cmp(&right.state),
            Sort::Provider => left.provider.as_str().cmp(right.provider.as_str()),
            Sort::Tier => left.level().cmp(&right.level()),
            Sort::Boot => left.booted.map(|boot| boot.1).cmp(&right.booted.map(|boot| boot.1)),
            Sort::Idle => idle(left).cmp(&idle(right)),
            Sort::Rate => left.rate().cmp(&right.rate()),
            Sort::Cost => left.month(now).cmp(&right.month(now)),
        };
        let order = if self.falling { order.reverse() } else { order };
        order.then_with(|| left.id.cmp(&right.id))
    }
}

fn owner_name(owner: &Owner) -> &str {
    owner.name.as_str()
}

fn owner_team(owner: &Owner) -> Option<&str> {
    owner.team.as_ref().map(Name::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_read_as_its_address_says_it() {
        let query = Query {
            state: Some(Group::Awake),
            trouble: Some(Trouble::Stuck),
            owner: Some("Ana & Ñ".to_owned()),
            team: Some("Ventas".to_owned()),
            provider: Some(ProviderName::Fargate),
            text: "bot".to_owned(),
            sort: Sort::Cost,
            falling: true,
            ..Query::default()
        };
        let pairs = query.pairs();
        assert_eq!(Query::from_pairs(pairs.iter().map(|(key, value)| (*key, value.as_str()))), query);
        assert_eq!(Query::default().pairs(), []);
    }

    #[test]
    fn what_an_address_says_wrongly_is_as_if_it_were_not_said() {
        let odd =
            [("state", "x"), ("sort", "-x"), ("limit", "99999"), ("offset", "-1"), ("owner", ""), ("?", "?")];
        let most = Query { limit: Query::LIMIT_MAX, ..Query::default() };
        assert_eq!(Query::from_pairs(odd), most);
        assert_eq!(Query::from_pairs([("limit", "0")]).limit, 1);
    }
}
