//! Signing in, tokens, one's own account.

use imagewright_store::tokens::Token;
use imagewright_store::users::User;
use imagewright_store::{TokenId, UserId};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use crate::access::{Account, Actor, Operation, Standing};
use crate::error::{FieldProblem, HubError, Kind, Result};
use crate::hub::Hub;
use crate::password;
use crate::random;

/// What tokens begin with, so that people and scanners of secrets know one when they see it.
const TOKEN_PREFIX: &str = "iw_";
/// How long an authorization code is good: long enough to be copied.
const CODE_LIFETIME: SignedDuration = SignedDuration::from_mins(10);
/// How exact the last use of a token is kept: not every request writes.
const USE_PRECISION: SignedDuration = SignedDuration::from_mins(5);
/// The longest name of a token, in characters.
const LONGEST_NAME: usize = 100;
/// Most tokens of one user.
const MOST_TOKENS: usize = 100;

impl Hub {
    /// Who a token is of.
    ///
    /// # Errors
    /// Not authenticated for one that is unknown, has expired, or is of a user who may not come in.
    pub async fn actor_by_token(&self, token: &str, address: Option<String>) -> Result<Actor> {
        let now = self.clock.now();
        let reader = self.store.read();
        let found = reader.token_by_hash(&random::credential_hash(token)).await?;
        let (token, user) = found.ok_or_else(HubError::not_authenticated)?;
        if token.expires_at.is_some_and(|end| end <= now) || !user.is_enabled {
            return Err(HubError::not_authenticated());
        }
        if token.used_at.is_none_or(|used| now.duration_since(used) > USE_PRECISION) {
            let writer = self.store.write().await?;
            writer.touch_token(&token.id, now).await?;
            writer.commit().await?;
        }
        let account = Account { token: Some(token.id), ..self.account(&user, address).await? };
        Ok(Actor::User(Box::new(account)))
    }

    /// Signs in with a password. Too many wrong ones make the account and the address wait.
    ///
    /// # Errors
    /// Not authenticated for a wrong name or password, which are not told apart; too many, with the time to wait.
    pub async fn sign_in(
        &self,
        username: &str,
        password: &SecretString,
        address: Option<String>,
    ) -> Result<Actor> {
        let username = username.trim().to_lowercase();
        let now = self.clock.now();
        let keys =
            [format!("user {username}"), format!("address {}", address.as_deref().unwrap_or("unknown"))];
        if let Some(seconds) = keys.iter().filter_map(|key| self.throttle.wait(key, now)).max() {
            let message = format!("Too many wrong passwords; try again in {seconds} seconds");
            return Err(HubError::new(Kind::TooMany, message));
        }
        let user = self.store.read().user_by_name(&username).await?;
        let hash = user.as_ref().and_then(|user| user.password_hash.clone());
        // The time that it takes does not tell whether there is such a user.
        let is_right = password::verify(password.clone(), hash).await?;
        match user {
            Some(user) if is_right && user.is_enabled => {
                self.throttle.forget(&keys[0]);
                let actor = Actor::User(Box::new(self.account(&user, address).await?));
                let writer = self.store.write().await?;
                self.note(&writer, &actor, "session.start", ("user", user.id.as_str()), None, json!({}))
                    .await?;
                writer.commit().await?;
                Ok(actor)
            }
            _ => {
                for key in keys {
                    self.throttle.count(key, now);
                }
                Err(HubError::new(Kind::NotAuthenticated, "The user name or the password is wrong"))
            }
        }
    }

    /// The account of a user with the groups that it is in now.
    pub(crate) async fn account(&self, user: &User, address: Option<String>) -> Result<Account> {
        let groups = self.store.read().groups_of(&user.id).await?;
        Ok(Account { address, ..Account::new(user, groups) })
    }

    /// Makes a token, for oneself or, as an admin, for another. What it proves itself with is seen now and never
    /// again.
    ///
    /// # Errors
    /// A name that is empty or too long, a time that is over, more tokens than anybody needs.
    pub async fn create_token(
        &self,
        actor: &Actor,
        user: Option<&UserId>,
        name: &str,
        expires_at: Option<Timestamp>,
    ) -> Result<(Token, SecretString)> {
        let user = match user {
            Some(user) => user.clone(),
            None => actor.signed_in()?.id.clone(),
        };
        actor.may(Operation::ManageOwnAccount, standing_to_account(actor, &user))?;
        let now = self.clock.now();
        let name = name.trim();
        if name.is_empty() || name.chars().count() > LONGEST_NAME {
            let problem = FieldProblem::new(
                "name",
                format!("a name has 1 to {LONGEST_NAME} characters"),
                "write what it is for",
            );
            return Err(HubError::invalid(problem));
        }
        let lifetime =
            self.config.login.token_days.map(|days| SignedDuration::from_hours(24 * i64::from(days)));
        let expires_at = expires_at.or_else(|| now.checked_add(lifetime?).ok());
        if expires_at.is_some_and(|end| end <= now) {
            let problem = FieldProblem::new("expiresAt", "the time is over already", "choose a later one");
            return Err(HubError::invalid(problem));
        }
        let writer = self.store.write().await?;
        let owner = writer.user(&user).await?.ok_or_else(|| HubError::not_found("user", user.as_str()))?;
        if writer.tokens_of(&user).await?.len() >= MOST_TOKENS {
            return Err(HubError::new(Kind::TooMany, format!("Nobody needs more than {MOST_TOKENS} tokens"))
                .with_hint("revoke those that are not used any more"));
        }
        let credential = random::credential(TOKEN_PREFIX);
        let token = Token {
            id: TokenId::new(random::identifier()),
            user_id: user,
            name: name.to_owned(),
            created_at: now,
            expires_at,
            used_at: None,
        };
        writer.insert_token(&token, &random::credential_hash(credential.expose_secret())).await?;
        let detail = json!({ "user": owner.username, "name": token.name });
        self.note(&writer, actor, "token.create", ("token", token.id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok((token, credential))
    }

    /// One's own tokens, newest first.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn tokens(&self, actor: &Actor) -> Result<Vec<Token>> {
        let account = actor.signed_in()?;
        actor.may(Operation::ManageOwnAccount, standing_to_account(actor, &account.id))?;
        Ok(self.store.read().tokens_of(&account.id).await?)
    }

    /// The tokens of a user, newest first: one's own or, for an admin, anybody's.
    ///
    /// # Errors
    /// Not authenticated, not allowed.
    pub async fn tokens_of(&self, actor: &Actor, user: &UserId) -> Result<Vec<Token>> {
        actor.may(Operation::ManageOwnAccount, standing_to_account(actor, user))?;
        Ok(self.store.read().tokens_of(user).await?)
    }

    /// Ends a token of one's own or, as an admin, of anybody.
    ///
    /// # Errors
    /// Not found for a token that is not there, or another's.
    pub async fn revoke_token(&self, actor: &Actor, id: &TokenId) -> Result<Token> {
        let not_found = || HubError::not_found("token", id.as_str());
        let writer = self.store.write().await?;
        let token = writer.token(id).await?.ok_or_else(not_found)?;
        let standing = standing_to_account(actor, &token.user_id);
        actor.may_on(Operation::ManageOwnAccount, Operation::ManageOwnAccount, standing, not_found)?;
        writer.delete_token(id).await?;
        let detail = json!({ "name": token.name });
        self.note(&writer, actor, "token.revoke", ("token", id.as_str()), None, detail).await?;
        writer.commit().await?;
        Ok(token)
    }

    /// Changes one's own password. Tokens stay as they are.
    ///
    /// # Errors
    /// A wrong old password, or a new one that is too easy to guess.
    pub async fn change_password(&self, actor: &Actor, old: &SecretString, new: &SecretString) -> Result<()> {
        let account = actor.signed_in()?;
        actor.may(Operation::ManageOwnAccount, standing_to_account(actor, &account.id))?;
        let not_authenticated = HubError::not_authenticated;
        let user = self.store.read().user(&account.id).await?.ok_or_else(not_authenticated)?;
        let key = format!("user {}", user.username);
        let now = self.clock.now();
        if let Some(seconds) = self.throttle.wait(&key, now) {
            let message = format!("Too many wrong passwords; try again in {seconds} seconds");
            return Err(HubError::new(Kind::TooMany, message));
        }
        if !password::verify(old.clone(), user.password_hash).await? {
            self.throttle.count(key, now);
            return Err(HubError::invalid(FieldProblem::new("oldPassword", "the password is wrong", "")));
        }
        let hash = password::hash(new.clone(), "newPassword").await?;
        let writer = self.store.write().await?;
        let mut user = writer.user(&account.id).await?.ok_or_else(not_authenticated)?;
        user.password_hash = Some(hash);
        user.must_change_password = false;
        user.updated_at = self.clock.now();
        writer.update_user(&user).await?;
        self.note(&writer, actor, "password.change", ("user", user.id.as_str()), None, json!({})).await?;
        writer.commit().await?;
        Ok(())
    }

    /// Makes a code that the client takes once, within some minutes, for a token.
    ///
    /// # Errors
    /// Not authenticated.
    pub async fn create_authorization_code(&self, actor: &Actor) -> Result<SecretString> {
        let account = actor.signed_in()?;
        actor.may(Operation::ManageOwnAccount, standing_to_account(actor, &account.id))?;
        let code = random::credential("");
        let now = self.clock.now();
        let hash = random::credential_hash(code.expose_secret());
        let writer = self.store.write().await?;
        writer.insert_authorization_code(&hash, &account.id, now, now + CODE_LIFETIME).await?;
        writer.commit().await?;
        Ok(code)
    }

    /// Gives a new token for a code.
    ///
    /// # Errors
    /// Not authenticated for a code that is unknown, was used, or has expired.
    pub async fn exchange_authorization_code(
        &self,
        code: &str,
        address: Option<String>,
    ) -> Result<SecretString> {
        let hash = random::credential_hash(code.trim());
        let writer = self.store.write().await?;
        let taken = writer.take_authorization_code(&hash, self.clock.now()).await?;
        writer.commit().await?;
        let user = taken.ok_or_else(HubError::not_authenticated)?;
        let user = self.store.read().user(&user).await?.filter(|user| user.is_enabled);
        let account = self.account(&user.ok_or_else(HubError::not_authenticated)?, address).await?;
        let (_, credential) =
            self.create_token(&Actor::User(Box::new(account)), None, "primehub client", None).await?;
        Ok(credential)
    }
}

/// How an actor stands to somebody's account: a member of one's own.
pub(super) fn standing_to_account(actor: &Actor, user: &UserId) -> Standing {
    match actor.account() {
        Some(account) if account.id == *user => Standing::Member.max(actor.standing()),
        _ => actor.standing(),
    }
}
