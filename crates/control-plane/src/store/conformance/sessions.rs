//! Sessions, the count of what was taken back, invitations, and looks.

use domain::look::{Look, Step};
use domain::role::Role;
use domain::session::How;
use domain::time::Timestamp;

use crate::store::{Accepted, Invitation, Invited, Session, Shard, StoreError, User, UserChange};

use super::audit::entry;
use super::fixture::*;
use super::people::{hash, token, user};

pub fn session(name: &str, expires: u64) -> Session {
    Session {
        token: hash(name),
        user: owner(1),
        created_at: at(1),
        expires_at: at(expires),
        how: How::Password,
        browser: "Firefox · Linux".to_owned(),
        seen_at: at(1),
    }
}

pub async fn a_session_lasts_until_it_ends_or_expires(store: Ledger) {
    let (short, long) = (session("short", 10), session("long", 20));
    store.put_session(&short).await.unwrap();
    store.put_session(&long).await.unwrap();
    assert_eq!(store.session(short.token, at(9)).await.unwrap(), Some(short.clone()));
    assert_eq!(store.session(short.token, at(10)).await.unwrap(), None);
    assert_eq!(store.session(long.token, at(10)).await.unwrap(), Some(long.clone()));
    assert!(store.end_session(long.token).await.unwrap());
    assert_eq!(store.session(long.token, at(10)).await.unwrap(), None);
    let known = store.taken_back().await.unwrap();
    assert!(!store.end_session(long.token).await.unwrap(), "it has ended");
    assert_eq!(store.taken_back().await.unwrap(), known, "nothing was taken from anybody");
}

pub async fn sessions_are_their_owners_newest_first(store: Ledger) {
    let begun = |name: &str, begun: u64| Session { created_at: at(begun), ..session(name, 50) };
    let (old, new, gone) = (begun("old", 2), begun("new", 3), begun("gone", 4));
    let others = Session { user: owner(2), ..session("other", 50) };
    let short = session("short", 5);
    for session in [&old, &new, &gone, &others, &short] {
        store.put_session(session).await.unwrap();
    }
    store.end_session(gone.token).await.unwrap();
    let list = async |whose, now| store.sessions_of(owner(whose), at(now)).await.unwrap();
    assert_eq!(list(1, 4).await, [new.clone(), old.clone(), short]);
    assert_eq!(list(1, 5).await, [new, old]);
    assert_eq!(list(2, 5).await, [others]);
    assert_eq!(list(3, 5).await, []);
}

pub async fn a_session_that_is_seen_is_so_in_every_list_and_one_that_ended_stays_so(store: Ledger) {
    let (here, ended) = (session("here", 50), session("ended", 50));
    assert!(store.add_user(&user(1, "Ana")).await.unwrap());
    for session in [&here, &ended] {
        store.put_session(session).await.unwrap();
    }
    store.end_session(ended.token).await.unwrap();
    store.see_session(&ended, at(8)).await.unwrap();
    assert_eq!(store.session(ended.token, at(8)).await.unwrap(), None);
    assert_eq!(store.people(None, 9).await.unwrap()[0].seen_at, None);
    store.see_session(&here, at(9)).await.unwrap();
    let seen = Session { seen_at: at(9), ..here.clone() };
    assert_eq!(store.session(here.token, at(9)).await.unwrap(), Some(seen.clone()));
    assert_eq!(store.sessions_of(owner(1), at(9)).await.unwrap(), [seen]);
    assert_eq!(store.people(None, 9).await.unwrap()[0].seen_at, Some(at(9)));
}

pub async fn whatever_is_taken_back_changes_the_count(store: Ledger) {
    let mut known = store.taken_back().await.unwrap();
    let mut taken = async |what: &str| {
        let now = store.taken_back().await.unwrap();
        assert_ne!(std::mem::replace(&mut known, now), now, "{what}");
    };
    store.put_session(&session("s", 50)).await.unwrap();
    store.end_session(hash("s")).await.unwrap();
    taken("a session").await;
    let token = token(1, 1);
    store.put_token(&token).await.unwrap();
    assert!(store.revoke_token(owner(1), token.id).await.unwrap());
    taken("a token").await;
    assert!(store.add_user(&user(1, "Ana")).await.unwrap());
    assert!(store.change_user(owner(1), &UserChange::Role(Role::Viewer), &entry(at(1), 1)).await.unwrap());
    taken("a role").await;
    let look = look();
    store.put_look(&look, &entry(at(2), 2)).await.unwrap();
    let look = store.look(look.agent).await.unwrap().unwrap();
    store.put_look(&look.after(Step::Decline, START).unwrap(), &entry(at(3), 3)).await.unwrap();
    taken("a look").await;
}

fn invitation(name: &str, expires: u64) -> Invitation {
    Invitation {
        token: hash(name),
        created_at: at(1),
        expires_at: at(expires),
        invited: Invited {
            name: name.parse().unwrap(),
            role: Role::Operator,
            team: Some("Datos".parse().unwrap()),
            by: "Eva".parse().unwrap(),
        },
    }
}

pub async fn an_invitation_is_open_until_it_ends_or_is_withdrawn(store: Ledger) {
    let (short, long) = (invitation("short", 10), invitation("long", 20));
    store.put_invitation(&short, &entry(at(1), 1)).await.unwrap();
    store.put_invitation(&long, &entry(at(1), 2)).await.unwrap();
    let open = async |now| store.invitations(at(now)).await.unwrap();
    assert_eq!(open(9).await, [long.clone(), short.clone()]);
    assert_eq!(open(10).await, std::slice::from_ref(&long));
    assert_eq!(store.invitation(short.token, at(9)).await.unwrap(), Some(short.clone()));
    assert_eq!(store.invitation(short.token, at(10)).await.unwrap(), None);
    assert!(store.withdraw_invitation(long.token, &entry(at(3), 3)).await.unwrap());
    assert!(!store.withdraw_invitation(long.token, &entry(at(4), 4)).await.unwrap());
    assert_eq!(open(9).await, [short]);
    // What did not happen is not told.
    assert_eq!(store.told(START.month(), None, 9).await.unwrap().len(), 3);
    // The next one finds the room that expired ones left.
    store
        .put_invitation(&Invitation { created_at: at(15), ..invitation("next", 30) }, &entry(at(15), 5))
        .await
        .unwrap();
    assert_eq!(open(15).await.len(), 1);
}

fn invited(n: u8, name: &str) -> User {
    User { role: Role::Operator, team: Some("Datos".parse().unwrap()), ..user(n, name) }
}

pub async fn an_invitation_makes_one_person(store: Ledger) {
    store.put_invitation(&invitation("Ana", 10), &entry(at(1), 1)).await.unwrap();
    let accept = |n: usize| {
        let store = store.clone();
        async move {
            let (ana, told) = (invited(n as u8 + 1, "Ana"), entry(at(2), n as u8 + 10));
            store.accept_invitation(hash("Ana"), at(9), &ana, &told).await
        }
    };
    let outcomes = together((0..6).map(accept)).await;
    let done = outcomes.iter().filter(|outcome| matches!(outcome, Ok(Accepted::Done))).count();
    assert_eq!(done, 1, "{outcomes:?}");
    let ana = store.user_named("Ana").await.unwrap().unwrap();
    assert_eq!((ana.role, ana.team.as_ref().unwrap().as_str()), (Role::Operator, "Datos"));
    assert_eq!(store.people(None, 9).await.unwrap().len(), 1);
    assert_eq!(store.told(START.month(), None, 99).await.unwrap().len(), 2);
    assert_eq!(store.invitations(at(9)).await.unwrap(), []);
}

pub async fn a_taken_name_or_a_late_invitation_makes_nobody(store: Ledger) {
    assert!(store.add_user(&user(7, "Ana")).await.unwrap());
    store.put_invitation(&invitation("Ana", 10), &entry(at(1), 1)).await.unwrap();
    store.put_invitation(&invitation("Berta", 10), &entry(at(1), 2)).await.unwrap();
    let accept = async |name: &str, now: u64| {
        let told = entry(at(now), 9);
        store.accept_invitation(hash(name), at(now), &invited(1, name), &told).await.unwrap()
    };
    assert_eq!(accept("Ana", 9).await, Accepted::NameTaken);
    assert_eq!(accept("Berta", 10).await, Accepted::Gone);
    assert_eq!(accept("Clara", 9).await, Accepted::Gone);
    assert_eq!(store.user(owner(1)).await.unwrap(), None);
    assert_eq!(store.user_named("Berta").await.unwrap(), None);
    assert_eq!(store.told(START.month(), None, 9).await.unwrap().len(), 2);
}

fn look() -> Look {
    Look::ask(None, id(Shard(1), 1), owner(1), "Eva".parse().unwrap(), START).unwrap()
}

pub async fn a_look_is_changed_on_its_version_and_told_or_neither(store: Ledger) {
    let asked = look();
    assert_eq!(store.look(asked.agent).await.unwrap(), None);
    store.put_look(&asked, &entry(at(1), 1)).await.unwrap();
    let late = store.put_look(&asked, &entry(at(1), 2)).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    let there = store.look(asked.agent).await.unwrap().unwrap();
    assert_eq!(there, Look { version: 1, ..asked.clone() });
    let open = there.after(Step::Accept, START).unwrap();
    store.put_look(&open, &entry(at(1), 3)).await.unwrap();
    let late = store.put_look(&there.after(Step::Decline, START).unwrap(), &entry(at(1), 4)).await;
    assert!(matches!(late, Err(StoreError::Conflict)), "{late:?}");
    assert!(store.look(asked.agent).await.unwrap().unwrap().shows(owner(1), Timestamp(START.0 + 1)));
    assert_eq!(store.told(START.month(), None, 9).await.unwrap().len(), 2);
}
