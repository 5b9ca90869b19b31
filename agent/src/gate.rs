//! Who may come in: tickets, each once, and pages by their `Origin`.

use std::sync::Mutex;
use std::time::SystemTime;

use domain::id::InstanceId;
use domain::ticket::{Refused, Scope, TicketVerifier, UsedTickets};
use domain::time::Timestamp;

/// Checks tickets for one instance.
#[derive(Debug)]
pub struct Gate {
    instance: InstanceId,
    verifier: TicketVerifier,
    origins: Vec<String>,
    used: Mutex<UsedTickets>,
}

impl Gate {
    pub fn new(instance: InstanceId, verifier: TicketVerifier, origins: Vec<String>) -> Self {
        Self { instance, verifier, origins, used: Mutex::default() }
    }

    /// Checks a ticket in full and spends it.
    ///
    /// # Errors
    /// [`Refused`] says why; then nothing was spent.
    pub fn admit(&self, ticket: &str, scope: Scope) -> Result<(), Refused> {
        let now = now();
        let claims = self.verifier.claims(ticket, now)?;
        claims.check(self.instance, scope)?;
        self.used.lock().expect("no holder panics").spend(&claims, now)
    }

    /// Whether a page of that `Origin` may open a terminal.
    pub fn allows(&self, origin: &[u8]) -> bool {
        self.origins.iter().any(|known| known.as_bytes() == origin)
    }
}

/// The instant by the system's clock.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// Random bytes from the kernel.
pub fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("Linux gives random bytes once it is up");
    bytes
}
