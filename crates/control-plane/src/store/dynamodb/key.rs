//! The keys of all items. Texts compare by their bytes in DynamoDB, so numbers
//! have a fixed width and ids are as they are.

use domain::agent::ProviderName;
use domain::budget::Subject;
use domain::id::{
    AgentId, EntryId, Generation, IdempotencyKey, InstanceId, InvitationId, SessionId, TokenId, UserId,
};
use domain::name::Name;
use domain::protocol::to_hex;
use domain::time::{Month, Timestamp};
use domain::usage::Line;

use crate::store::usage::{Book, View};
use crate::store::{Hash, Shard};

use super::layout::Lanes;

/// Partition and range of an item of the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    pub partition: String,
    pub range: String,
}

/// The items of one partition from `low` to `high`, both included.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub partition: String,
    pub low: String,
    pub high: String,
}

fn key(partition: String, range: impl Into<String>) -> Key {
    Key { partition, range: range.into() }
}

// ── An agent's own partition: its row, its events, its segments ─────────────

fn agents_own(agent: AgentId) -> String {
    format!("agent#{agent}")
}

pub(super) fn agent(id: AgentId) -> Key {
    key(agents_own(id), "agent")
}

pub(super) fn event(agent: AgentId, seq: u64) -> Key {
    key(agents_own(agent), format!("event#{seq:020}"))
}

/// Events after number `after`; `None` where there can be none.
pub(super) fn events_after(agent: AgentId, after: u64) -> Option<Span> {
    let (first, last) = (event(agent, after.checked_add(1)?), event(agent, u64::MAX));
    Some(Span { partition: first.partition, low: first.range, high: last.range })
}

pub(super) fn segment(agent: AgentId, generation: Generation) -> Key {
    key(agents_own(agent), format!("segment#{:010}", generation.0))
}

/// Segments of the generations before `before`; `None` where there can be none.
pub(super) fn segments_before(agent: AgentId, before: Option<Generation>) -> Option<Span> {
    let latest = match before {
        Some(before) => Generation(before.0.checked_sub(1)?),
        None => Generation(u32::MAX),
    };
    let (first, last) = (segment(agent, Generation(0)), segment(agent, latest));
    Some(Span { partition: first.partition, low: first.range, high: last.range })
}

pub(super) fn look(agent: AgentId) -> Key {
    key(agents_own(agent), "look")
}

// ── A user's own partition: the user, their agents, tokens and sessions ─────

fn users_own(user: UserId) -> String {
    format!("user#{user}")
}

pub(super) fn user(id: UserId) -> Key {
    key(users_own(id), "user")
}

pub(super) fn account(of: &Subject) -> Key {
    key("budgets".to_owned(), of.to_string())
}

pub(super) fn accounts_after(after: Option<&Subject>) -> Span {
    let low = after.map_or_else(|| "!".to_owned(), |after| format!("{after}\u{1}"));
    Span { partition: "budgets".to_owned(), low, high: "~".to_owned() }
}

pub(super) fn drain(provider: ProviderName) -> Key {
    key(format!("provider#{}", provider.as_str()), "drain")
}

pub(super) fn user_named(name: &str) -> Key {
    key(format!("name#{name}"), "user")
}

pub(super) fn password(owner: UserId) -> Key {
    key(users_own(owner), "password")
}

/// The one link of a person's that works.
pub(super) fn link_of(owner: UserId) -> Key {
    key(users_own(owner), "link")
}

pub(super) fn session_of(owner: UserId, created_at: Timestamp, id: SessionId) -> Key {
    key(users_own(owner), format!("session#{}#{id}", instant(created_at)))
}

pub(super) fn sessions_of(owner: UserId) -> Span {
    Span { partition: users_own(owner), low: "session#".to_owned(), high: "session#~".to_owned() }
}

// ── Everybody by name; who is invited; what was taken back ──────────────────

pub(super) fn person(name: &Name) -> Key {
    key(PEOPLE.to_owned(), name.as_str())
}

pub(super) fn people_after(after: Option<&Name>) -> Span {
    // No name begins with less, and none has a control character.
    let low = after.map_or_else(|| "!".to_owned(), |name| format!("{name}\u{1}"));
    Span { partition: PEOPLE.to_owned(), low, high: "\u{10ffff}".to_owned() }
}

const PEOPLE: &str = "people";

pub(super) fn invitation(id: InvitationId) -> Key {
    key("invitations".to_owned(), id.to_string())
}

pub(super) fn invitations() -> Span {
    Span { partition: "invitations".to_owned(), low: "!".to_owned(), high: "~".to_owned() }
}

pub(super) fn taken_back() -> Key {
    key("taken-back".to_owned(), "count")
}

pub(super) fn agent_of(owner: UserId, agent: AgentId) -> Key {
    key(users_own(owner), format!("agent#{agent}"))
}

/// Counts what was made for an owner.
pub(super) fn spawner(owner: UserId) -> Key {
    key(users_own(owner), "spawner")
}

pub(super) fn agents_of(owner: UserId, after: Option<AgentId>) -> Span {
    Span { partition: users_own(owner), low: just_after("agent#", after), high: "agent#~".to_owned() }
}

pub(super) fn token_of(owner: UserId, created_at: Timestamp, id: TokenId) -> Key {
    key(users_own(owner), format!("token#{}#{id}", instant(created_at)))
}

pub(super) fn tokens_of(owner: UserId) -> Span {
    Span { partition: users_own(owner), low: "token#".to_owned(), high: "token#~".to_owned() }
}

pub(super) fn token(token: Hash) -> Key {
    key(format!("token#{}", to_hex(&token.0)), "token")
}

// ── What the orchestrator finds its work by ─────────────────────────────────

pub(super) fn due(lanes: Lanes, agent: AgentId, due_at: Timestamp) -> Key {
    let partition = due_lane(Shard::of(agent), lanes.of(agent));
    key(partition, format!("{}#{agent}", instant(due_at)))
}

fn due_lane(shard: Shard, lane: u8) -> String {
    format!("due#{}#{lane}", shard.0)
}

/// What is due in a lane until `until`.
pub(super) fn due_until(shard: Shard, lane: u8, until: Timestamp) -> Span {
    Span { partition: due_lane(shard, lane), low: "0".to_owned(), high: format!("{}#~", instant(until)) }
}

pub(super) fn awake(agent: AgentId) -> Key {
    key(awake_in(Shard::of(agent)), agent.to_string())
}

pub(super) fn awake_after(shard: Shard, after: Option<AgentId>) -> Span {
    Span { partition: awake_in(shard), low: just_after("", after), high: "~".to_owned() }
}

fn awake_in(shard: Shard) -> String {
    format!("awake#{}", shard.0)
}

// ── The fleet's list, and the audit log by month ────────────────────────────

pub(super) fn listed(agent: AgentId) -> Key {
    key(listed_in(Shard::of(agent)), agent.to_string())
}

pub(super) fn listed_after(shard: Shard, after: Option<AgentId>) -> Span {
    Span { partition: listed_in(shard), low: just_after("", after), high: "~".to_owned() }
}

fn listed_in(shard: Shard) -> String {
    format!("fleet#{}", shard.0)
}

pub(super) fn audited(at: Timestamp, id: EntryId) -> Key {
    key(format!("audit#{}", at.month()), format!("{}#{id}", instant(at)))
}

pub(super) fn audited_after(month: Month, after: Option<(Timestamp, EntryId)>) -> Span {
    let low = after.map_or_else(|| "0".to_owned(), |(at, id)| format!("{}!", audited(at, id).range));
    Span { partition: format!("audit#{month}"), low, high: "~".to_owned() }
}

/// With that one.
pub(super) fn audited_upto(month: Month, before: Option<(Timestamp, EntryId)>) -> Span {
    let high = before.map_or_else(|| "~".to_owned(), |(at, id)| audited(at, id).range);
    Span { partition: format!("audit#{month}"), low: "0".to_owned(), high }
}

// ── Usage ───────────────────────────────────────────────────────────────────

/// A closed segment that is to be folded into the rollups.
pub(super) fn to_fold(agent: AgentId, generation: Generation) -> Key {
    key(to_fold_in(Shard::of(agent)), instance(agent, generation))
}

pub(super) fn all_to_fold(shard: Shard) -> Span {
    Span { partition: to_fold_in(shard), low: "!".to_owned(), high: "~".to_owned() }
}

fn to_fold_in(shard: Shard) -> String {
    format!("fold#{}", shard.0)
}

/// A line of a rollup: a partition a month of an owner, or of a part of the fleet.
pub(super) fn usage(book: Book, month: Month, line: &Line) -> Key {
    key(usage_of(book, month), line.to_string())
}

pub(super) fn usages(book: Book, month: Month, view: View, after: Option<&Line>) -> Span {
    let (low, high) = view.span(after);
    Span { partition: usage_of(book, month), low, high }
}

fn usage_of(book: Book, month: Month) -> String {
    match book {
        Book::Owner(owner) => format!("usage#{owner}#{month}"),
        Book::Fleet(part) => format!("usage#fleet#{part}#{month}"),
    }
}

/// That a segment has a part in a month.
pub(super) fn used(month: Month, agent: AgentId, generation: Generation) -> Key {
    key(used_in(month, Shard::of(agent)), instance(agent, generation))
}

pub(super) fn used_after(month: Month, shard: Shard, after: Option<InstanceId>) -> Span {
    let low = after.map_or_else(|| "!".to_owned(), |after| instance(after.agent, after.generation) + "!");
    Span { partition: used_in(month, shard), low, high: "~".to_owned() }
}

fn used_in(month: Month, shard: Shard) -> String {
    format!("used#{month}#{}", shard.0)
}

fn instance(agent: AgentId, generation: Generation) -> String {
    format!("{agent}#{:010}", generation.0)
}

pub(super) fn layout() -> Key {
    key("layout".to_owned(), "layout")
}

// ── The table of what expires: a partition an item ──────────────────────────

pub(super) fn session(token: Hash) -> String {
    format!("session#{}", to_hex(&token.0))
}

pub(super) fn sign_in_link(token: Hash) -> String {
    format!("link#{}", to_hex(&token.0))
}

pub(super) fn enrolment(nonce: Hash) -> String {
    format!("enrolment#{}", to_hex(&nonce.0))
}

pub(super) fn idempotency(owner: UserId, key: &IdempotencyKey) -> String {
    format!("key#{owner}#{}", key.as_str())
}

/// Milliseconds since 1970, in as many digits as the last instant has. What is
/// earlier than 1970 is as due as what is of it.
fn instant(at: Timestamp) -> String {
    format!("{:019}", at.0.max(0))
}

/// The least text after that of an id (all ids are as long); an exclamation
/// mark is before every letter and digit.
fn just_after(before: &str, id: Option<AgentId>) -> String {
    id.map_or_else(|| format!("{before}!"), |id| format!("{before}{id}!"))
}
