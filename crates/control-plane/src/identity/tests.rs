//! People on a ledger of their own.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::access::Access;
use domain::audit::Outcome;
use domain::role::Role;
use futures::TryStreamExt as _;

use super::*;

fn identity() -> (Arc<Identity>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    (Arc::new(crate::embedded::identity(folder.path()).unwrap()), folder)
}

async fn person(identity: &Identity, name: &str, role: Role) -> (Secret, Principal) {
    let user = identity.ensure_user(&name.parse().unwrap(), role).await.unwrap();
    let link = identity.sign_in_link(user.id).await.unwrap();
    let session = identity.sign_in(link.expose(), "").await.unwrap().session;
    let who = identity.session(session.expose()).await.unwrap();
    (session, who)
}

#[tokio::test]
async fn a_sign_out_of_nobody_wakes_nobody() {
    let (identity, _folder) = identity();
    let (session, _) = person(&identity, "Ana", Role::User).await;
    let mut changes = identity.taken_back.subscribe();
    identity.sign_out("no session").await.unwrap();
    assert!(!changes.has_changed().unwrap());
    identity.sign_out(session.expose()).await.unwrap();
    assert!(changes.has_changed().unwrap());
    changes.mark_unchanged();
    identity.sign_out(session.expose()).await.unwrap();
    assert!(!changes.has_changed().unwrap(), "it had ended");
}

#[tokio::test]
async fn many_changes_in_a_row_cost_a_look_or_two() {
    let (identity, _folder) = identity();
    let looks = Arc::new(AtomicU32::new(0));
    let (watched, counted) = (Arc::clone(&identity), Arc::clone(&looks));
    let watching = tokio::spawn(async move {
        watched.until(|| async { counted.fetch_add(1, Ordering::SeqCst) == u32::MAX }).await;
    });
    for _ in 0..100 {
        identity.took_back();
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    tokio::time::sleep(APART * 2).await;
    watching.abort();
    let looks = looks.load(Ordering::SeqCst);
    // The first of all, at the first word, and one for each while.
    assert!((2..=6).contains(&looks), "{looks} looks");
}

#[tokio::test]
async fn what_is_open_by_a_right_ends_with_that_right_alone() {
    let (identity, _folder) = identity();
    let (_, eva) = person(&identity, "Eva", Role::Admin).await;
    let (session, _) = person(&identity, "Ana", Role::Operator).await;
    let open = |right| {
        let (identity, session) = (Arc::clone(&identity), session.expose().to_owned());
        tokio::spawn(async move { identity.until_without(right, || identity.session(&session)).await })
    };
    let (manages, sees) = (open(Right::ManageFleet), open(Right::SeeFleet));
    tokio::time::sleep(APART).await;
    assert!(!manages.is_finished());
    identity.give_role(&eva, &name("Ana"), Role::Viewer).await.unwrap();
    tokio::time::timeout(RECHECK / 10, manages).await.unwrap().unwrap();
    tokio::time::sleep(APART * 2).await;
    assert!(!sees.is_finished(), "a viewer sees");
    identity.sign_out(session.expose()).await.unwrap();
    tokio::time::timeout(RECHECK / 10, sees).await.unwrap().unwrap();
}

const PASSWORD: &str = "correcto, caballo";

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

#[tokio::test]
async fn an_invitation_is_worth_what_its_inviters_right_is() {
    let (identity, _folder) = identity();
    let (_, eva) = person(&identity, "Eva", Role::Admin).await;
    person(&identity, "Olga", Role::Admin).await;
    let invited = async |text: &str| identity.invite(&eva, name(text), Role::Admin, None).await.unwrap().1;
    let (early, demoted, closed) = (invited("Ana").await, invited("Berta").await, invited("Clara").await);
    identity.sign_in(early.expose(), "").await.unwrap();
    identity.set_role(&name("Eva"), Role::Operator).await.unwrap();
    let refused = identity.sign_in(demoted.expose(), "").await;
    assert!(matches!(refused, Err(Error::Unauthenticated)), "{refused:?}");
    identity.set_role(&name("Eva"), Role::Admin).await.unwrap();
    identity.sign_in(demoted.expose(), "").await.unwrap();
    identity.set_access(&name("Eva"), Access::Closed).await.unwrap();
    assert!(identity.sign_in(closed.expose(), "").await.is_err());
}

#[tokio::test]
async fn an_inviter_has_so_many_open_and_withdraws_any() {
    let (identity, _folder) = identity();
    let (_, eva) = person(&identity, "Eva", Role::Admin).await;
    let (_, olga) = person(&identity, "Olga", Role::Admin).await;
    let invite = async |who: &Principal, n: usize| {
        identity.invite(who, name(&format!("{} {n}", who.name)), Role::User, None).await
    };
    let oldest = invite(&eva, 0).await.unwrap().0.id();
    for n in 1..INVITATIONS_MAX {
        invite(&eva, n).await.unwrap();
    }
    let refused = invite(&eva, INVITATIONS_MAX).await;
    assert!(matches!(refused, Err(Error::TooMany { most: INVITATIONS_MAX, .. })), "{refused:?}");
    invite(&olga, 0).await.unwrap();
    identity.withdraw_invitation(&olga, oldest).await.unwrap();
    invite(&eva, INVITATIONS_MAX).await.unwrap();
}

#[tokio::test]
async fn who_is_kept_out_comes_in_by_nothing_until_let_in_again() {
    let (identity, _folder) = identity();
    let (_, eva) = person(&identity, "Eva", Role::Admin).await;
    let (session, ana) = person(&identity, "Ana", Role::User).await;
    let (_, token) = identity.create_token(&ana, name("CI")).await.unwrap();
    identity
        .set_password(&ana, &Secret::new(String::new()), &Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    let link = identity.sign_in_link(ana.user).await.unwrap();
    let by_password =
        async || identity.sign_in_with_password("Ana", &Secret::new(PASSWORD.to_owned()), None, "").await;
    let mut changes = identity.taken_back.subscribe();

    identity.give_access(&eva, &name("Ana"), Access::Closed).await.unwrap();
    assert!(changes.has_changed().unwrap(), "what is open is asked of");
    changes.mark_unchanged();
    assert!(matches!(identity.session(session.expose()).await, Err(Error::Unauthenticated)));
    assert!(matches!(identity.bearer(token.expose()).await, Err(Error::Unauthenticated)));
    assert!(matches!(identity.proves(ana.proof.unwrap()).await, Err(Error::Unauthenticated)));
    assert!(matches!(by_password().await, Err(Error::WrongPassword)));
    assert!(matches!(identity.sign_in(link.expose(), "").await, Err(Error::Unauthenticated)));

    identity.give_access(&eva, &name("Ana"), Access::Open).await.unwrap();
    identity.session(session.expose()).await.unwrap();
    identity.bearer(token.expose()).await.unwrap();
    by_password().await.unwrap();
    assert!(identity.sign_in(link.expose(), "").await.is_err(), "it was spent");
}

#[tokio::test]
async fn nobody_keeps_themselves_out_nor_the_last_administrator() {
    let (identity, _folder) = identity();
    let (_, eva) = person(&identity, "Eva", Role::Admin).await;
    let (_, ana) = person(&identity, "Ana", Role::User).await;
    let refused = identity.give_access(&ana, &name("Eva"), Access::Closed).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    let own = identity.give_access(&eva, &name("Eva"), Access::Closed).await;
    assert!(matches!(own, Err(Error::StaysOpen)));
    let last = identity.set_access(&name("Eva"), Access::Closed).await;
    assert!(matches!(last, Err(Error::StaysOpen)), "also on the command line");
    let (_, olga) = person(&identity, "Olga", Role::Admin).await;
    identity.give_access(&olga, &name("Eva"), Access::Closed).await.unwrap();
    let last = identity.set_access(&name("Olga"), Access::Closed).await;
    assert!(matches!(last, Err(Error::StaysOpen)), "who is kept out does not count");
}

#[tokio::test]
async fn what_ends_somebodys_sessions_ends_their_unused_links_too() {
    let (identity, _folder) = identity();
    let (_, ana) = person(&identity, "Ana", Role::User).await;
    let (_, token) = identity.create_token(&ana, name("CI")).await.unwrap();
    let link = async || identity.sign_in_link(ana.user).await.unwrap();
    let works = async |link: Secret| identity.sign_in(link.expose(), "").await.is_ok();
    let unused = link().await;
    identity
        .set_password(&ana, &Secret::new(String::new()), &Secret::new(PASSWORD.to_owned()))
        .await
        .unwrap();
    assert!(!works(unused).await);
    let unused = link().await;
    identity.end_other_sessions(&ana).await.unwrap();
    assert!(!works(unused).await);
    identity.bearer(token.expose()).await.unwrap();
    let unused = link().await;
    identity.sign_out_everywhere(&name("Ana")).await.unwrap();
    assert!(!works(unused).await);
    assert!(matches!(identity.bearer(token.expose()).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_link_for_somebody_is_told() {
    let (identity, _folder) = identity();
    let ana = identity.ensure_user(&name("Ana"), Role::User).await.unwrap();
    identity.link_person(&ana).await.unwrap();
    let told: Vec<Entry> = identity.audit().since(crate::audit::FIRST).try_collect().await.unwrap();
    let link = told.last().unwrap();
    assert_eq!((link.act.as_str(), link.outcome), ("link_person", Outcome::Allowed));
    assert_eq!((link.act.person(), &link.actor), (Some(&name("Ana")), &Actor::CommandLine));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_was_changed_meanwhile_lets_nobody_in() {
    let (identity, _folder) = identity();
    let (_, ana) = person(&identity, "Ana", Role::User).await;
    let old = || Secret::new(PASSWORD.to_owned());
    identity.set_password(&ana, &Secret::new(String::new()), &old()).await.unwrap();
    let before = identity.sessions(&ana).await.unwrap().len();
    let other = identity.passwords.hash(&Secret::new("otra, y larga".to_owned())).await.unwrap();
    let coming = tokio::spawn({
        let identity = Arc::clone(&identity);
        async move { identity.sign_in_with_password("Ana", &old(), None, "").await.map(drop) }
    });
    // A password takes longer to look at than to be read.
    tokio::time::sleep(std::time::Duration::from_millis(3)).await;
    identity.store.put_password(ana.user, &other).await.unwrap();
    let came = coming.await.unwrap();
    assert!(matches!(came, Err(Error::WrongPassword)), "{came:?}");
    assert_eq!(identity.sessions(&ana).await.unwrap().len(), before);
}

#[tokio::test]
async fn what_is_no_name_is_nobodys() {
    let (identity, _folder) = identity();
    for text in [String::new(), "a".repeat(5000), "a\u{0}b".to_owned()] {
        let refused =
            identity.sign_in_with_password(&text, &Secret::new(PASSWORD.to_owned()), None, "").await;
        assert!(matches!(refused, Err(Error::WrongPassword)), "{refused:?}");
    }
}
