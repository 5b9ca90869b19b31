//! Who may come in: tickets, each once, and pages by their `Origin`.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::SystemTime;

use domain::id::InstanceId;
use domain::ticket::{Claims, Holder, Refused, Scope, TICKET_LIFE, TicketVerifier, UsedTickets};
use domain::time::Timestamp;
use tokio::sync::watch;

/// A viewer whose ticket was good.
#[derive(Debug, Clone, Copy)]
pub struct Guest {
    pub holder: Holder,
    /// Nothing that they send does anything.
    pub looks: bool,
}

/// Checks tickets for one instance.
#[derive(Debug)]
pub struct Gate {
    instance: InstanceId,
    verifier: TicketVerifier,
    origins: Vec<String>,
    used: Mutex<UsedTickets>,
    /// Whose right has ended while a ticket of theirs can still be about, and
    /// until when.
    out: watch::Sender<BTreeMap<Holder, Timestamp>>,
}

impl Gate {
    pub fn new(instance: InstanceId, verifier: TicketVerifier, origins: Vec<String>) -> Self {
        Self { instance, verifier, origins, used: Mutex::default(), out: watch::Sender::default() }
    }

    /// Checks a ticket in full and spends it.
    ///
    /// # Errors
    /// [`Refused`] says why; then nothing was spent.
    pub fn admit(&self, ticket: &str, scope: Scope) -> Result<(), Refused> {
        self.spend(ticket, |_| scope).map(drop)
    }

    /// The same for a viewer: who they are, and whether they only look.
    pub fn admit_viewer(&self, ticket: &str) -> Result<Guest, Refused> {
        let claims = self.spend(ticket, |claims| match claims.scope {
            Scope::Look => Scope::Look,
            _ => Scope::Terminal,
        })?;
        Ok(Guest { holder: claims.holder(), looks: claims.scope == Scope::Look })
    }

    fn spend(&self, ticket: &str, scope: impl FnOnce(&Claims) -> Scope) -> Result<Claims, Refused> {
        let now = now();
        let claims = self.verifier.claims(ticket, now)?;
        claims.check(self.instance, scope(&claims))?;
        if self.out.borrow().get(&claims.holder()).is_some_and(|until| *until > now) {
            return Err(Refused::Ended);
        }
        self.used.lock().expect("no holder panics").spend(&claims, now)?;
        Ok(claims)
    }

    /// Takes in that somebody's right has ended: their viewers go, and their
    /// tickets are refused for as long as there can be any.
    pub fn show_out(&self, holder: Holder) {
        let now = now();
        self.out.send_modify(|out| {
            out.retain(|_, until| *until > now);
            // Twice: the two clocks need not agree.
            out.insert(holder, now.after(2 * TICKET_LIFE));
        });
    }

    /// Resolves when that holder's right ends from now on.
    pub async fn until_out(&self, holder: Holder) {
        let mut out = self.out.subscribe();
        // The sender lives as long as this does.
        let _ = out.wait_for(|out| out.contains_key(&holder)).await;
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
