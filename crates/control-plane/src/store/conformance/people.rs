//! People, what they sign in with, and the nonces of instances.

use domain::id::{Generation, InstanceId, TokenId, UserId};
use domain::role::Role;

use crate::store::{ApiToken, Enrolment, Hash, PasswordHash, Shard, SignInLink, User, UserChange};

use super::audit::entry;
use super::fixture::*;
use super::sessions::session;

pub fn hash(text: &str) -> Hash {
    Hash::of(text.as_bytes())
}

fn instance(generation: u32) -> InstanceId {
    InstanceId { agent: id(Shard(1), 1), generation: Generation(generation) }
}

async fn give_nonce(store: &Ledger, nonce: &str, generation: u32) {
    let enrolment = Enrolment { nonce: hash(nonce), instance: instance(generation), expires_at: at(100) };
    store.put_enrolment(&enrolment).await.unwrap();
}

pub async fn a_nonce_is_spent_by_one_binding(store: Ledger) {
    give_nonce(&store, "n1", 1).await;
    give_nonce(&store, "n2", 2).await;
    let spend =
        async |nonce, binding| store.spend_enrolment(hash(nonce), hash(binding), at(1)).await.unwrap();
    assert_eq!(spend("n1", "a").await, Some(instance(1)));
    assert_eq!(spend("n1", "a").await, Some(instance(1)), "the answer was lost: the same again");
    assert_eq!(spend("n1", "b").await, None);
    assert_eq!(spend("n2", "b").await, Some(instance(2)));
    give_nonce(&store, "n1", 1).await;
    assert_eq!(spend("n1", "b").await, None, "given again, it stays spent");
    assert_eq!(spend("n1", "a").await, Some(instance(1)));
}

pub async fn of_enrolments_at_once_one_binding_wins(store: Ledger) {
    give_nonce(&store, "n", 1).await;
    let spend = |n: usize| {
        let store = store.clone();
        async move { store.spend_enrolment(hash("n"), hash(&n.to_string()), at(1)).await.unwrap() }
    };
    let outcomes = together((0..16).map(spend)).await;
    assert_eq!(outcomes.iter().flatten().collect::<Vec<_>>(), [&instance(1)]);
}

pub async fn an_expired_or_unknown_nonce_is_worth_nothing(store: Ledger) {
    give_nonce(&store, "n", 1).await;
    assert_eq!(store.spend_enrolment(hash("n"), hash("a"), at(100)).await.unwrap(), None);
    assert_eq!(store.spend_enrolment(hash("m"), hash("a"), at(1)).await.unwrap(), None);
    assert_eq!(store.spend_enrolment(hash("n"), hash("a"), at(99)).await.unwrap(), Some(instance(1)));
}

pub fn user(n: u8, name: &str) -> User {
    User {
        id: owner(n),
        name: name.parse().unwrap(),
        role: Role::User,
        team: None,
        created_at: at(7),
        closed_at: None,
    }
}

pub async fn a_name_is_one_persons(store: Ledger) {
    let (ana, other) = (user(1, "Ana Ñ"), user(2, "Ana Ñ"));
    assert!(store.add_user(&ana).await.unwrap());
    assert!(!store.add_user(&other).await.unwrap());
    assert_eq!(store.user(other.id).await.unwrap(), None);
    assert_eq!(store.user(ana.id).await.unwrap(), Some(ana.clone()));
    assert_eq!(store.user_named("Ana Ñ").await.unwrap(), Some(ana));
    assert_eq!(store.user_named("ana ñ").await.unwrap(), None);
}

pub async fn a_role_is_changed_with_its_entry_or_not_at_all(store: Ledger) {
    let ana = user(1, "Ana");
    let role = UserChange::Role;
    assert!(
        !store.change_user(ana.id, &role(Role::Admin), &entry(at(1), 1)).await.unwrap(),
        "nobody is there"
    );
    assert!(store.add_user(&ana).await.unwrap());
    assert!(store.change_user(ana.id, &role(Role::Admin), &entry(at(2), 2)).await.unwrap());
    let admin = User { role: Role::Admin, ..ana };
    assert_eq!(store.user(admin.id).await.unwrap(), Some(admin.clone()));
    assert_eq!(store.user_named("Ana").await.unwrap(), Some(admin.clone()));
    // An entry that is there already: neither is done.
    assert!(store.change_user(admin.id, &role(Role::User), &entry(at(2), 2)).await.is_err());
    assert_eq!(store.user(admin.id).await.unwrap(), Some(admin));
    assert_eq!(store.told(START.month(), None, 10).await.unwrap(), [entry(at(2), 2)]);
}

pub async fn a_team_is_given_and_taken_and_changes_no_role(store: Ledger) {
    let ana = user(1, "Ana");
    assert!(store.add_user(&ana).await.unwrap());
    let team = |name: Option<&str>| UserChange::Team(name.map(|name| name.parse().unwrap()));
    let viewer = UserChange::Role(Role::Viewer);
    assert!(store.change_user(ana.id, &viewer, &entry(at(1), 1)).await.unwrap());
    for (n, name) in [(2, Some("Datos ñ")), (3, Some("Web")), (4, None)] {
        assert!(store.change_user(ana.id, &team(name), &entry(at(n), n as u8)).await.unwrap());
        let expected =
            User { role: Role::Viewer, team: name.map(|name| name.parse().unwrap()), ..ana.clone() };
        assert_eq!(store.user(ana.id).await.unwrap(), Some(expected.clone()));
        assert_eq!(store.user_named("Ana").await.unwrap(), Some(expected));
    }
    assert!(store.add_user(&User { team: Some("Web".parse().unwrap()), ..user(2, "Berta") }).await.unwrap());
    assert_eq!(store.user(owner(2)).await.unwrap().unwrap().team.unwrap().as_str(), "Web");
}

pub async fn people_come_by_name_and_page(store: Ledger) {
    let names = ["Ana", "Ana B", "Zoé", "ana", "Ángel", "日本", "👩"];
    for (n, name) in names.iter().enumerate() {
        assert!(store.add_user(&user(n as u8 + 1, name)).await.unwrap());
    }
    let (mut paged, mut last) = (Vec::new(), None);
    loop {
        let page = store.people(last.as_ref(), 2).await.unwrap();
        assert!(page.len() <= 2 && page.iter().all(|listed| listed.seen_at.is_none()));
        let Some(end) = page.last() else { break };
        last = Some(end.user.name.clone());
        paged.extend(page.into_iter().map(|listed| listed.user.name.to_string()));
    }
    assert_eq!(paged, names);
}

pub async fn a_password_is_its_owners_latest(store: Ledger) {
    let hash = |text: &str| PasswordHash(text.to_owned());
    assert_eq!(store.password(owner(1)).await.unwrap(), None);
    for text in ["first", "second"] {
        store.put_password(owner(1), &hash(text)).await.unwrap();
        assert_eq!(store.password(owner(1)).await.unwrap(), Some(hash(text)));
    }
    assert_eq!(store.password(owner(2)).await.unwrap(), None);
}

pub async fn a_sign_in_link_works_once(store: Ledger) {
    let link = |name: &str| SignInLink { token: hash(name), user: owner(1), expires_at: at(100) };
    store.put_sign_in_link(&link("once")).await.unwrap();
    let late = SignInLink { user: owner(2), ..link("late") };
    store.put_sign_in_link(&late).await.unwrap();
    let take = |_| {
        let store = store.clone();
        async move { store.take_sign_in_link(hash("once"), at(99)).await.unwrap() }
    };
    let taken: Vec<UserId> = together((0..8).map(take)).await.into_iter().flatten().collect();
    assert_eq!(taken, [owner(1)]);
    assert_eq!(store.take_sign_in_link(hash("late"), at(100)).await.unwrap(), None);
    assert_eq!(store.take_sign_in_link(hash("never"), at(1)).await.unwrap(), None);
}

pub async fn a_link_takes_the_place_of_its_persons_others_and_all_are_voided(store: Ledger) {
    let link = |name: &str, n| SignInLink { token: hash(name), user: owner(n), expires_at: at(100) };
    let take = async |name: &str| store.take_sign_in_link(hash(name), at(1)).await.unwrap();
    for (name, n) in [("old", 1), ("new", 1), ("others", 2)] {
        store.put_sign_in_link(&link(name, n)).await.unwrap();
    }
    assert_eq!(take("old").await, None, "there is a newer one");
    assert_eq!(take("new").await, Some(owner(1)));
    store.put_sign_in_link(&link("voided", 1)).await.unwrap();
    store.void_sign_in_links(owner(1)).await.unwrap();
    store.void_sign_in_links(owner(3)).await.unwrap();
    assert_eq!(take("voided").await, None);
    assert_eq!(take("others").await, Some(owner(2)));
}

pub async fn access_is_closed_and_opened_and_changes_nothing_else(store: Ledger) {
    let ana = user(1, "Ana");
    assert!(store.add_user(&ana).await.unwrap());
    for (n, closed_at) in [(2, Some(at(2))), (3, None)] {
        let known = store.taken_back().await.unwrap();
        let change = UserChange::Closed(closed_at);
        assert!(store.change_user(ana.id, &change, &entry(at(n), n as u8)).await.unwrap());
        assert_ne!(store.taken_back().await.unwrap(), known, "what is open is asked of");
        let expected = User { closed_at, ..ana.clone() };
        assert_eq!(store.user(ana.id).await.unwrap(), Some(expected.clone()));
        assert_eq!(store.user_named("Ana").await.unwrap(), Some(expected.clone()));
        assert_eq!(store.people(None, 9).await.unwrap()[0].user, expected);
    }
}

pub fn token(n: u8, whose: u8) -> ApiToken {
    ApiToken {
        id: TokenId::from_random([n; 10]),
        token: hash(&format!("token {n}")),
        owner: owner(whose),
        name: "CI".parse().unwrap(),
        created_at: at(n.into()),
    }
}

pub async fn a_token_is_found_by_its_secret_until_it_is_revoked(store: Ledger) {
    let token = token(1, 1);
    store.put_token(&token).await.unwrap();
    assert_eq!(store.token(token.token).await.unwrap(), Some(token.clone()));
    assert_eq!(store.token(hash("another")).await.unwrap(), None);
    assert!(store.revoke_token(owner(1), token.id).await.unwrap());
    assert_eq!(store.token(token.token).await.unwrap(), None);
    assert_eq!(store.tokens_of(owner(1)).await.unwrap(), []);
    assert!(!store.revoke_token(owner(1), token.id).await.unwrap());
}

pub async fn nobody_revokes_anothers_token(store: Ledger) {
    let token = token(1, 1);
    store.put_token(&token).await.unwrap();
    assert!(!store.revoke_token(owner(2), token.id).await.unwrap());
    assert_eq!(store.token(token.token).await.unwrap(), Some(token));
}

pub async fn tokens_come_newest_first_100_at_most(store: Ledger) {
    for n in 0..110 {
        store.put_token(&token(n, 1)).await.unwrap();
    }
    store.put_token(&token(200, 2)).await.unwrap();
    let newest: Vec<_> = (10..110).rev().map(|n| token(n, 1)).collect();
    assert_eq!(store.tokens_of(owner(1)).await.unwrap(), newest);
}

pub async fn sweeping_takes_nothing_that_is_of_use(store: Ledger) {
    give_nonce(&store, "n", 1).await;
    let link = SignInLink { token: hash("link"), user: owner(1), expires_at: at(100) };
    store.put_sign_in_link(&link).await.unwrap();
    store.put_session(&session("old", 50)).await.unwrap();
    store.put_session(&session("new", 100)).await.unwrap();
    store.put_token(&token(1, 1)).await.unwrap();
    assert!(store.add_user(&user(1, "Ana")).await.unwrap());
    let agent = create(&store, id(Shard(1), 1), owner(1)).await;
    store.sweep(at(99)).await.unwrap();
    assert_eq!(store.session(hash("new"), at(99)).await.unwrap(), Some(session("new", 100)));
    assert_eq!(store.take_sign_in_link(hash("link"), at(99)).await.unwrap(), Some(owner(1)));
    let enrolled = store.spend_enrolment(hash("n"), hash("b"), at(99)).await.unwrap();
    assert_eq!(enrolled, Some(instance(1)));
    assert_eq!(store.tokens_of(owner(1)).await.unwrap().len(), 1);
    assert!(store.user(owner(1)).await.unwrap().is_some());
    assert_eq!(store.agent(agent.id).await.unwrap(), Some(agent));
}

pub async fn a_store_that_answers_is_ready(store: Ledger) {
    store.ready().await.unwrap();
}
