//! The pages.

mod agent;
mod agents;
mod budgets;
mod fleet;
mod lost;
mod settings;
mod sign_in;
mod spend;
mod stage;

pub use agent::AgentPage;
pub use agents::AgentsPage;
pub use budgets::BudgetsPage;
pub use fleet::FleetPage;
pub use lost::{FaultPage, LostPage, Nothing};
pub use settings::SettingsPage;
pub use sign_in::SignInPage;
pub use spend::SpendPage;
pub use stage::StagePage;
