//! People as a whole: their roles and teams, and who is invited.

use domain::audit::{Act, Actor, Outcome};
use domain::id::{InvitationId, UserId};
use domain::name::Name;
use domain::protocol::Secret;
use domain::role::Role;

use super::{INVITATION_LIFE, INVITATIONS_MAX, Identity, Principal, Right};
use crate::error::{Error, Result};
use crate::random;
use crate::store::{Hash, Invitation, Invited, Listed, User, UserChange};

/// People of one page.
pub const PEOPLE_MAX: u16 = 100;

impl Identity {
    /// The person of that name, added with a role when there is none.
    pub async fn ensure_user(&self, name: &Name, role: Role) -> Result<User> {
        if let Some(user) = self.store.user_named(name.as_str()).await? {
            return Ok(user);
        }
        let user = User {
            id: UserId::from_random(random::bytes()),
            name: name.clone(),
            role,
            team: None,
            created_at: self.now(),
            closed_at: None,
        };
        let act = Act::AddPerson { person: user.id, name: name.clone(), role };
        let added = async { Ok(self.store.add_user(&user).await?) };
        if self.audit.told(Actor::CommandLine, act, added).await? {
            return Ok(user);
        }
        // Somebody else added the same name meanwhile.
        self.store.user_named(name.as_str()).await?.ok_or(Error::Contended)
    }

    /// Gives a person another role, by a command on the installation.
    pub async fn set_role(&self, name: &Name, role: Role) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        self.change_role(Actor::CommandLine, user, role).await
    }

    /// Gives a person another role, by right of one's own.
    pub async fn give_role(&self, who: &Principal, name: &Name, role: Role) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?;
        let change =
            |user: &User| Act::ChangeRole { person: user.id, name: name.clone(), from: user.role, to: role };
        // Whether there is such a person is told to nobody who may not ask.
        let act = || user.as_ref().map_or(Act::SeePeople, change);
        self.audit.permit(who, Right::ManagePeople, act).await?;
        self.change_role(who.actor(), user.ok_or(Error::NoSuchPerson)?, role).await
    }

    async fn change_role(&self, actor: Actor, user: User, role: Role) -> Result<User> {
        let User { id: person, name, role: from, .. } = user.clone();
        if from == role {
            return Ok(user);
        }
        let act = Act::ChangeRole { person, name, from, to: role };
        let told = self.audit.entry(actor, act, Outcome::Allowed);
        let changed = self.store.change_user(user.id, &UserChange::Role(role), &told).await;
        // Also where it failed: it may have been done.
        self.took_back();
        if !changed? {
            return Err(Error::NoSuchPerson);
        }
        Ok(User { role, ..user })
    }

    /// Puts a person in a team, or in none, by a command on the installation.
    pub async fn set_team(&self, name: &Name, team: Option<Name>) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?.ok_or(Error::NoSuchPerson)?;
        self.change_team(Actor::CommandLine, user, team).await
    }

    /// The same, by right of one's role.
    pub async fn give_team(&self, who: &Principal, name: &Name, team: Option<Name>) -> Result<User> {
        let user = self.store.user_named(name.as_str()).await?;
        let act = || user.as_ref().map_or(Act::SeePeople, |user| team_act(user, team.clone()));
        self.audit.permit(who, Right::ManagePeople, act).await?;
        self.change_team(who.actor(), user.ok_or(Error::NoSuchPerson)?, team).await
    }

    async fn change_team(&self, actor: Actor, user: User, team: Option<Name>) -> Result<User> {
        if user.team == team {
            return Ok(user);
        }
        let told = self.audit.entry(actor, team_act(&user, team.clone()), Outcome::Allowed);
        if !self.store.change_user(user.id, &UserChange::Team(team.clone()), &told).await? {
            return Err(Error::NoSuchPerson);
        }
        Ok(User { team, ..user })
    }

    /// People by name, after `after`, [`PEOPLE_MAX`] at most.
    pub async fn people(&self, who: &Principal, after: Option<&Name>) -> Result<Vec<Listed>> {
        self.audit.permit(who, Right::ManagePeople, || Act::SeePeople).await?;
        Ok(self.store.people(after, PEOPLE_MAX).await?)
    }

    /// Invitations that nobody has accepted yet, newest first.
    pub async fn invitations(&self, who: &Principal) -> Result<Vec<Invitation>> {
        self.audit.permit(who, Right::ManagePeople, || Act::SeePeople).await?;
        Ok(self.store.invitations(self.now()).await?)
    }

    /// A one-time secret that makes whoever shows it a new person.
    ///
    /// # Errors
    /// [`Error::NameTaken`] when somebody goes by that name or is invited by it,
    /// [`Error::TooMany`] when the caller has [`INVITATIONS_MAX`] open.
    pub async fn invite(
        &self,
        who: &Principal,
        name: Name,
        role: Role,
        team: Option<Name>,
    ) -> Result<(Invitation, Secret)> {
        let act = Act::Invite { name: name.clone(), role, team: team.clone() };
        self.audit.permit(who, Right::ManagePeople, || act.clone()).await?;
        let now = self.now();
        let invited = self.store.invitations(now).await?;
        let taken = self.store.user_named(name.as_str()).await?.is_some()
            || invited.iter().any(|other| other.invited.name == name);
        if taken {
            return Err(Error::NameTaken);
        }
        if invited.iter().filter(|other| other.invited.by == who.name).count() >= INVITATIONS_MAX {
            return Err(Error::TooMany { what: "open invitations", most: INVITATIONS_MAX });
        }
        let secret = random::secret();
        let invitation = Invitation {
            token: Hash::of(secret.expose().as_bytes()),
            created_at: now,
            expires_at: now.after(INVITATION_LIFE),
            invited: Invited { name, role, team, by: who.name.clone() },
        };
        let told = self.audit.entry(who.actor(), act, Outcome::Allowed);
        self.store.put_invitation(&invitation, &told).await?;
        Ok((invitation, secret))
    }

    /// Takes an invitation back.
    pub async fn withdraw_invitation(&self, who: &Principal, id: InvitationId) -> Result<()> {
        self.audit.permit(who, Right::ManagePeople, || Act::SeePeople).await?;
        let open = self.store.invitations(self.now()).await?;
        let invitation = open.into_iter().find(|invitation| invitation.id() == id);
        let invitation = invitation.ok_or(Error::NotFound)?;
        let act = Act::WithdrawInvitation { name: invitation.invited.name };
        let told = self.audit.entry(who.actor(), act, Outcome::Allowed);
        if self.store.withdraw_invitation(invitation.token, &told).await? {
            Ok(())
        } else {
            Err(Error::NotFound)
        }
    }
}

fn team_act(user: &User, to: Option<Name>) -> Act {
    Act::ChangeTeam { person: user.id, name: user.name.clone(), from: user.team.clone(), to }
}
