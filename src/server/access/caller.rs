//! From a client certificate to a profile: what its holder may ask, and the view they see.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwapOption;
use rorqual_access::{Ask, Policy, Profile};
use rorqual_schema::ResourceType;

use crate::server::peer::Peer;
use crate::server::refusal::Refusal;
use crate::view::Permits;
use crate::{Engine, View};

/// Knows every profile.
pub(in crate::server) struct Callers {
    /// Nothing: everybody may ask everything. Replaced whole when the file changes.
    known: ArcSwapOption<Known>,
}

/// A policy, with its profiles as requests share them.
struct Known {
    policy: Policy,
    profiles: BTreeMap<String, Arc<Profile>>,
}

impl Known {
    fn new(policy: Policy) -> Known {
        let profiles = policy.profiles().iter();
        Known {
            profiles: profiles
                .map(|profile| (profile.name().to_owned(), Arc::new(profile.clone())))
                .collect(),
            policy,
        }
    }
}

/// Who asks.
#[derive(Clone)]
pub(in crate::server) struct Caller {
    /// What they see.
    pub(in crate::server) view: Arc<View>,
    profile: Option<Arc<Profile>>,
}

impl Callers {
    /// Those of a policy; without one everybody may ask everything.
    pub(in crate::server) fn new(policy: Option<Policy>) -> Callers {
        Callers {
            known: ArcSwapOption::new(policy.map(Known::new).map(Arc::new)),
        }
    }

    /// Requests that come from now on are held to this policy.
    pub(super) fn replace(&self, policy: Policy) {
        self.known.store(Some(Arc::new(Known::new(policy))));
    }

    /// The caller at the other end of a connection.
    ///
    /// # Errors
    /// [`Refusal::NoProfile`] when the policy has no profile for them, [`Refusal::NoView`] when the live index was built
    /// without their view.
    pub(in crate::server) fn of(
        &self,
        engine: &Engine,
        peer: Option<&Peer>,
    ) -> Result<Caller, Refusal> {
        let known = self.known.load();
        let Some(known) = known.as_ref() else {
            return Ok(Caller {
                view: engine.full().clone(),
                profile: None,
            });
        };
        let identity = peer.and_then(|peer| peer.identity.as_deref());
        let asking = rorqual_access::Caller {
            subject: identity.map(|identity| identity.subject.as_str()),
            fingerprint: identity.map(|identity| &identity.fingerprint.0),
        };
        let profile = known
            .policy
            .profile_for(&asking)
            .and_then(|profile| known.profiles.get(profile.name()))
            .ok_or(Refusal::NoProfile {
                certificate: identity.is_some(),
            })?;
        let view = match profile.view() {
            id if id.is_full() => Some(engine.full().clone()),
            id => engine.view(id.as_str()),
        };
        let view = view.ok_or_else(|| {
            tracing::error!(
                profile = profile.name(),
                "the live index has no view for this access profile: build it with index-builder --access and the policy of the server"
            );
            Refusal::NoView
        })?;
        Ok(Caller {
            view,
            profile: Some(Arc::clone(profile)),
        })
    }
}

impl Caller {
    /// The name of the profile; `None` without a policy.
    pub(in crate::server) fn profile(&self) -> Option<&str> {
        self.profile.as_deref().map(Profile::name)
    }

    /// The view that holds them in what they write; nothing when they see everything.
    pub(in crate::server) fn restricted(&self) -> Option<Arc<View>> {
        (!self.view.name().is_empty()).then(|| self.view.clone())
    }

    /// Whether they may do something.
    ///
    /// # Errors
    /// [`Refusal::Forbidden`].
    pub(in crate::server) fn may(&self, ask: Ask<'_>) -> Result<(), Refusal> {
        let allowed = self
            .profile
            .as_ref()
            .map_or(Ok(()), |profile| profile.may(ask));
        allowed.map_err(|refusal| Refusal::Forbidden {
            reason: refusal.to_string(),
        })
    }

    /// What a search holds them to; nothing when they may ask everything.
    pub(in crate::server) fn permits(&self) -> Option<&dyn Permits> {
        self.profile.as_ref().map(|_| self as &dyn Permits)
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller")
            .field("view", &self.view.name())
            .field("profile", &self.profile())
            .finish()
    }
}

impl Permits for Caller {
    fn check(&self, kind: ResourceType, parameter: Option<&str>) -> Result<(), String> {
        let ask = match parameter {
            Some(code) => Ask::Parameter(kind, code),
            None => Ask::Search(kind),
        };
        let allowed = self
            .profile
            .as_ref()
            .map_or(Ok(()), |profile| profile.may(ask));
        allowed.map_err(|refusal| refusal.to_string())
    }
}
