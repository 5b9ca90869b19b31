//! Launches at the account's pace, and owners in turn: a bucket that fills
//! steadily, and whoever waits for it.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use domain::id::UserId;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Gives out turns: `burst` at once, then `rate` a second.
pub struct Pace(Arc<Mutex<State>>);

struct State {
    every: Duration,
    burst: u32,
    /// When the bucket would have been full.
    full_at: Instant,
    queue: Queue<oneshot::Sender<()>>,
    /// Whether turns are being given out.
    gives: bool,
}

impl Pace {
    pub fn new(rate: u32, burst: u32) -> Self {
        Self(Arc::new(Mutex::new(State {
            every: Duration::from_secs(1) / rate.max(1),
            burst: burst.max(1),
            full_at: Instant::now(),
            queue: Queue::default(),
            gives: false,
        })))
    }

    /// Waits for a turn.
    pub async fn turn(&self, owner: UserId) {
        let (give, given) = oneshot::channel();
        let gives = {
            let mut state = lock(&self.0);
            state.queue.push(owner, give);
            std::mem::replace(&mut state.gives, true)
        };
        if !gives {
            tokio::spawn(give_out(Arc::clone(&self.0)));
        }
        // Turns are given out until nobody waits, so it comes.
        let _ = given.await;
    }

    /// Gives a launch's turn back to later ones after AWS itself said «slower».
    pub fn slow_down(&self) {
        let mut state = lock(&self.0);
        let latest = Instant::now() + state.every * state.burst;
        state.full_at = state.full_at.max(latest);
    }
}

async fn give_out(state: Arc<Mutex<State>>) {
    loop {
        let at = {
            let mut state = lock(&state);
            if state.queue.is_empty() {
                state.gives = false;
                return;
            }
            state.reserve(Instant::now())
        };
        tokio::time::sleep_until(at).await;
        // Whose turn it is shows now: somebody new may have come before others.
        let mut state = lock(&state);
        while let Some(waiter) = state.queue.pop() {
            // Who has gone leaves the turn to the next.
            if waiter.send(()).is_ok() {
                break;
            }
        }
    }
}

impl State {
    fn reserve(&mut self, now: Instant) -> Instant {
        self.full_at = self.full_at.max(now) + self.every;
        let room = self.every * self.burst;
        self.full_at.checked_sub(room).map_or(now, |at| at.max(now))
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().expect("no holder panics")
}

/// What waits: an owner's things in their order, the owners in turn.
struct Queue<T> {
    waiting: HashMap<UserId, VecDeque<T>>,
    turns: VecDeque<UserId>,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { waiting: HashMap::new(), turns: VecDeque::new() }
    }
}

impl<T> Queue<T> {
    fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    fn push(&mut self, owner: UserId, item: T) {
        let own = self.waiting.entry(owner).or_default();
        if own.is_empty() {
            self.turns.push_back(owner);
        }
        own.push_back(item);
    }

    fn pop(&mut self) -> Option<T> {
        let owner = self.turns.pop_front()?;
        let own = self.waiting.get_mut(&owner)?;
        let item = own.pop_front();
        if own.is_empty() {
            self.waiting.remove(&owner);
        } else {
            self.turns.push_back(owner);
        }
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(n: u8) -> UserId {
        UserId::from_random([n; 10])
    }

    #[test]
    fn a_burst_goes_at_once_and_the_rest_at_the_rate() {
        let pace = Pace::new(20, 100);
        let now = Instant::now();
        let mut state = lock(&pace.0);
        let waits: Vec<_> = (0..200).map(|_| state.reserve(now).duration_since(now)).collect();
        assert!(waits[..100].iter().all(Duration::is_zero), "{:?}", &waits[95..100]);
        assert_eq!(waits[100], Duration::from_millis(50));
        assert_eq!(waits[199], Duration::from_secs(5));
        let later = now + Duration::from_secs(60);
        assert_eq!(state.reserve(later), later, "it fills again");
    }

    #[test]
    fn told_to_slow_down_it_has_no_burst_left() {
        let pace = Pace::new(10, 5);
        pace.slow_down();
        let now = Instant::now();
        assert!(lock(&pace.0).reserve(now) > now);
    }

    #[test]
    fn owners_take_turns() {
        let mut queue = Queue::default();
        for n in 0..4 {
            queue.push(owner(1), format!("a{n}"));
        }
        queue.push(owner(2), "b0".to_owned());
        assert_eq!(queue.pop().as_deref(), Some("a0"));
        queue.push(owner(3), "c0".to_owned());
        let rest: Vec<_> = std::iter::from_fn(|| queue.pop()).collect();
        assert_eq!(rest, ["b0", "a1", "c0", "a2", "a3"]);
        assert!(queue.is_empty() && queue.waiting.is_empty());
    }

    #[tokio::test]
    async fn a_waiter_that_goes_leaves_its_turn_to_the_next() {
        let pace = Pace::new(1, 1);
        pace.turn(owner(1)).await;
        {
            let mut gone = std::pin::pin!(pace.turn(owner(1)));
            assert!(futures::poll!(&mut gone).is_pending());
        }
        pace.turn(owner(2)).await;
        assert!(lock(&pace.0).queue.is_empty());
    }
}
