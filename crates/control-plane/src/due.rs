//! When each shard of deadlines is to be looked at: as soon as something that
//! this process knows of is due, and now and then for what others wrote.

use std::sync::Mutex;
use std::time::Duration;

use domain::agent::Agent;
use domain::time::Timestamp;
use tokio::sync::Notify;

use crate::store::Shard;

/// How often, in real time, each shard is asked for what others wrote.
const ASK_EVERY: Duration = Duration::from_secs(5);

/// What is known of when.
pub struct Due {
    shards: Mutex<[Times; Shard::COUNT as usize]>,
    earlier: Notify,
}

#[derive(Clone, Copy)]
struct Times {
    /// The earliest deadline that is known of.
    known: Option<Timestamp>,
    ask_at: Timestamp,
}

/// Why to look at a shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Something of it is due.
    Due,
    /// Something may have been written to it.
    Ask,
}

impl Due {
    pub fn new() -> Self {
        let times = Times { known: None, ask_at: Timestamp(0) };
        Self { shards: Mutex::new([times; Shard::COUNT as usize]), earlier: Notify::new() }
    }

    /// Something of the agent is due as its row says.
    pub fn of(&self, agent: &Agent) {
        if let Some(at) = agent.due_at {
            self.at(Shard::of(agent.id), at);
        }
    }

    /// Something of the shard is due then.
    pub fn at(&self, shard: Shard, at: Timestamp) {
        let mut shards = self.shards.lock().expect("no holder panics");
        let known = &mut shards[usize::from(shard.0)].known;
        if known.is_none_or(|known| at < known) {
            *known = Some(at);
            self.earlier.notify_one();
        }
    }

    /// Ends the wait: the clock goes faster than when it began.
    pub fn ring(&self) {
        self.earlier.notify_one();
    }

    /// The shards to look at now. Each that is taken has to be told of again,
    /// with what is due next.
    pub fn take(&self, now: Timestamp, speed: u32) -> Vec<(Shard, Look)> {
        let ask_every = ASK_EVERY * speed;
        let mut shards = self.shards.lock().expect("no holder panics");
        let mut taken = Vec::new();
        for (shard, times) in Shard::all().zip(shards.iter_mut()) {
            let due = times.known.is_some_and(|known| known <= now);
            // A clock that was set back must not silence it.
            let ask = times.ask_at <= now || times.ask_at > now.after(ask_every);
            if due || ask {
                taken.push((shard, if due { Look::Due } else { Look::Ask }));
                *times = Times { known: None, ask_at: now.after(ask_every) };
            }
        }
        taken
    }

    /// Until there is something to look at, by a clock of that speed.
    pub async fn wait(&self, now: Timestamp, speed: u32) {
        let earliest = {
            let shards = self.shards.lock().expect("no holder panics");
            let of = |times: &Times| times.known.map_or(times.ask_at, |known| known.min(times.ask_at));
            shards.iter().map(of).min()
        };
        let nap = earliest.map_or(ASK_EVERY, |at| at.since(now) / speed);
        tokio::select! {
            () = self.earlier.notified() => {}
            // What can't be done stays due: no spinning on it.
            () = tokio::time::sleep(nap.max(Duration::from_millis(2))) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn asked() -> Due {
        let due = Due::new();
        assert_eq!(due.take(NOW, 1).len(), 16, "at the start each is asked");
        due
    }

    #[test]
    fn what_is_known_is_looked_at_when_it_is_due_and_alone() {
        let due = asked();
        due.at(Shard(3), NOW.after(Duration::from_secs(2)));
        due.at(Shard(3), NOW.after(Duration::from_secs(4)));
        assert_eq!(due.take(NOW.after(Duration::from_secs(1)), 1), []);
        assert_eq!(due.take(NOW.after(Duration::from_secs(2)), 1), [(Shard(3), Look::Due)]);
        assert_eq!(due.take(NOW.after(Duration::from_secs(2)), 1), [], "it is taken once");
    }

    #[test]
    fn each_shard_is_asked_now_and_then() {
        let due = asked();
        due.at(Shard(3), NOW);
        due.take(NOW.after(Duration::from_secs(1)), 1);
        let asked = due.take(NOW.after(ASK_EVERY), 1);
        assert!(asked.len() == 15 && asked.iter().all(|(shard, look)| shard.0 != 3 && *look == Look::Ask));
    }

    #[test]
    fn a_clock_that_is_set_back_silences_nothing() {
        let due = asked();
        assert_eq!(due.take(NOW.before(Duration::from_secs(3600)), 1).len(), 16);
    }

    #[tokio::test]
    async fn what_is_due_sooner_ends_the_wait() {
        let due = asked();
        due.at(Shard(3), NOW.after(Duration::from_secs(3600)));
        due.wait(NOW, 1).await;
        tokio::join!(due.wait(NOW, 1), async { due.at(Shard(5), NOW) });
        assert_eq!(due.take(NOW, 1), [(Shard(5), Look::Due)]);
    }
}
