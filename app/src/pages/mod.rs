//! The pages.

mod agent;
mod agents;
mod audit;
mod budgets;
pub mod fleet;
pub mod lazy;
mod look;
mod lost;
mod people;
mod settings;
mod sign_in;
mod spend;
mod stage;

pub use agent::AgentPage;
pub use agents::AgentsPage;
pub use audit::AuditPage;
pub use budgets::BudgetsPage;
pub use fleet::FleetPage;
pub use look::LookPage;
pub use lost::{FaultPage, LostPage, Nothing};
pub use people::PeoplePage;
pub use settings::SettingsPage;
pub use sign_in::SignInPage;
pub use spend::SpendPage;
pub use stage::StagePage;
