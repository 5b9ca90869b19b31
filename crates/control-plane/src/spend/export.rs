//! A month's lines for spreadsheets and programs: one for each day, agent and
//! kind of use, with what runs now.

use std::collections::HashMap;
use std::sync::Arc;

use domain::agent::ProviderName;
use domain::id::{AgentId, UserId};
use domain::price::Basis;
use domain::spend::{Scope, Upkeep};
use domain::time::{Day, Month};
use domain::usage::{Amount, Line, Of};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde::Serialize;

use super::{Spend, Whose};
use crate::error::{Error, Result};
use crate::identity::Principal;
use crate::spreadsheet::cell;
use crate::store::agents_of;
use crate::store::usage::View;

/// What a line of the export is of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Each {
    #[default]
    Day,
    Hour,
}

impl Each {
    fn view(self) -> View {
        match self {
            Self::Day => View::Days,
            Self::Hour => View::AllHours,
        }
    }
}

/// A line of the export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Row {
    /// UTC; of an hour, as in `2026-11-25T10`.
    pub day: String,
    pub owner: String,
    pub agent: String,
    pub provider: &'static str,
    pub purchase: &'static str,
    pub basis: &'static str,
    pub size: &'static str,
    pub awake_ms: u64,
    /// Exact, as text: a spreadsheet's or a program's float would round it.
    /// Nothing where the price is unknown.
    pub usd: Option<String>,
    /// `machine`, or a thing of the installation's, which is nobody's: an
    /// estimate, whose time is in the place of that awake.
    pub item: &'static str,
    /// The owner's name and team by now, and the agent's name; empty where they
    /// are no more.
    pub owner_name: String,
    pub team: String,
    pub agent_name: String,
}

/// How a line's owner and their agents are called by now.
#[derive(Default)]
struct Names {
    owner: String,
    team: String,
    agents: HashMap<AgentId, String>,
}

impl Row {
    /// The names of a CSV's fields.
    pub const HEAD: &str =
        "day,owner,agent,provider,purchase,basis,size,awake_ms,usd,item,owner_name,team,agent_name";

    fn of(owner: UserId, names: &Names, line: &Line, amount: Amount) -> Option<Self> {
        let (day, agent) = match line.of {
            Of::Day(day, Some(agent)) => (day.to_string(), agent),
            Of::Hour(hour, Some(agent)) => (hour.to_string(), agent),
            _ => return None,
        };
        let kind = line.kind;
        Some(Self {
            day,
            owner: owner.to_string(),
            agent: agent.to_string(),
            provider: kind.provider.as_str(),
            purchase: kind.purchase.as_str(),
            basis: kind.basis.as_str(),
            size: kind.size.as_str(),
            awake_ms: amount.awake_ms,
            usd: (kind.basis != Basis::Unpriced).then(|| amount.cost.to_decimal(9)),
            item: "machine",
            owner_name: names.owner.clone(),
            team: names.team.clone(),
            agent_name: names.agents.get(&agent).cloned().unwrap_or_default(),
        })
    }

    fn of_installation((day, upkeep): (Day, Upkeep)) -> Self {
        let basis = if upkeep.cost.is_some() { Basis::Estimate } else { Basis::Unpriced };
        Self {
            day: day.to_string(),
            owner: String::new(),
            agent: String::new(),
            provider: ProviderName::Fargate.as_str(),
            purchase: "",
            basis: basis.as_str(),
            size: "",
            awake_ms: upkeep.ms,
            usd: upkeep.cost.map(|cost| cost.to_decimal(9)),
            item: upkeep.item.as_str(),
            owner_name: String::new(),
            team: String::new(),
            agent_name: String::new(),
        }
    }

    /// All but the names are ids and words, without a comma, a quote or a line's end.
    pub fn csv(&self) -> String {
        let Self { day, owner, agent, provider, purchase, basis, size, awake_ms, usd, item, .. } = self;
        let usd = usd.as_deref().unwrap_or_default();
        let [owner_name, team, agent_name] =
            [&self.owner_name, &self.team, &self.agent_name].map(|name| cell(name));
        format!(
            "{day},{owner},{agent},{provider},{purchase},{basis},{size},{awake_ms},{usd},{item},\
             {owner_name},{team},{agent_name}"
        )
    }
}

impl Spend {
    /// A month of the caller's, or by right of a role everybody's, owner by
    /// owner as it is taken, and then what the installation costs besides.
    pub async fn export(
        self: Arc<Self>,
        who: &Principal,
        scope: Scope,
        month: Month,
        each: Each,
    ) -> Result<impl Stream<Item = Result<Row>> + use<>> {
        let (owners, upkeep) = match self.whose(who, scope).await? {
            Whose::Owner(owner) => (vec![owner], Vec::new()),
            Whose::Fleet => {
                let owners = self.owners(month).await?;
                let upkeep = self.upkeep(month, !owners.is_empty());
                (owners, upkeep)
            }
        };
        let upkeep = upkeep.into_iter().map(|day| Ok(Row::of_installation(day)));
        Ok(self.rows(owners, month, each).chain(futures::stream::iter(upkeep)))
    }

    /// Everybody's, for whoever may run commands on the installation.
    pub async fn export_all(
        self: Arc<Self>,
        month: Month,
        each: Each,
    ) -> Result<impl Stream<Item = Result<Row>> + use<>> {
        let owners = self.owners(month).await?;
        Ok(self.rows(owners, month, each))
    }

    async fn owners(&self, month: Month) -> Result<Vec<UserId>> {
        let lines = self.fleet(month, View::Owners).await?;
        let mut owners: Vec<UserId> = lines
            .into_keys()
            .filter_map(|line| match line.of {
                Of::Owner(owner) => Some(owner),
                _ => None,
            })
            .collect();
        owners.dedup();
        Ok(owners)
    }

    async fn names(&self, owner: UserId) -> Result<Names> {
        let Some(user) = self.store.user(owner).await? else { return Ok(Names::default()) };
        let agents = agents_of(&*self.store, owner).await?;
        Ok(Names {
            owner: user.name.to_string(),
            team: user.team.map(|team| team.to_string()).unwrap_or_default(),
            agents: agents.into_iter().map(|agent| (agent.id, agent.name.to_string())).collect(),
        })
    }

    fn rows(
        self: Arc<Self>,
        owners: Vec<UserId>,
        month: Month,
        each: Each,
    ) -> impl Stream<Item = Result<Row>> + use<> {
        let each = futures::stream::iter(owners).then(move |owner| {
            let spend = Arc::clone(&self);
            async move {
                let lines = spend.of(owner, month, each.view()).await?;
                let names = spend.names(owner).await?;
                let row = |(line, amount): (&Line, &Amount)| Row::of(owner, &names, line, *amount);
                let rows: Vec<_> = lines.iter().filter_map(row).map(Ok).collect();
                Ok::<_, Error>(futures::stream::iter(rows))
            }
        });
        each.try_flatten()
    }
}
