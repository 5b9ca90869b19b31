//! Streams of a play: one for each agent and purpose.

use domain::id::AgentId;

pub(crate) use domain::random::Random;

/// An agent's stream for each `of`.
pub(crate) fn of_agent(seed: u64, agent: AgentId, of: &[u64]) -> Random {
    let [a, b, c, d, e, f, g, h, ..] = *agent.as_bytes();
    let mut random = Random::new(seed, &[u64::from_be_bytes([a, b, c, d, e, f, g, h])]);
    Random::new(random.draw(), of)
}

/// An agent that is made up.
pub(crate) fn agent(random: &mut Random) -> AgentId {
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&random.draw().to_be_bytes());
    bytes[8..].copy_from_slice(&random.draw().to_be_bytes()[..2]);
    AgentId::from_random(bytes)
}
