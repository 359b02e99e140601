//! From what the browser brought back to an identity that is proven, or a refusal.

use chrono::Duration;
use entity::enums::AuthProvider;
use openidconnect::core::{
    CoreGenderClaim, CoreIdToken, CoreIdTokenClaims, CoreIdTokenVerifier, CoreJwsSigningAlgorithm,
    CoreTokenResponse, CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthorizationCode, ClaimsVerificationError, ClientId, Nonce, OAuth2TokenResponse as _,
    PkceCodeVerifier, RequestTokenError, SignatureVerificationError, StandardClaims, TokenResponse as _,
};

use super::outgoing::Outgoing;
use super::pending::Pending;
use super::provider::{Directory, Provider};
use super::{Client, Refusal, Returned, client};
use crate::config::{GOOGLE, Issuer};
use crate::kernel::text;
use crate::platform::Platform;

/// Signatures that are believed: those with public keys, whatever the provider offers.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];
/// Clocks may differ by this much.
const SKEW: Duration = Duration::seconds(60);
/// An identity token is made for one sign-in; an older one is somebody else's.
const OLDEST: Duration = Duration::minutes(15);
const LONGEST_SUBJECT: usize = 255;

/// Somebody whose identity is proven.
#[derive(Clone, Debug)]
pub struct Verified {
    /// Kind of proof.
    pub provider: AuthProvider,
    /// Name of the provider in the configuration.
    pub provider_name: String,
    /// Who vouches; `None` for e-mail.
    pub issuer: Option<String>,
    /// Who it is there.
    pub subject: String,
    /// Address that is proven to be theirs, in lower case.
    pub email: Option<String>,
    /// Full name, when it is known.
    pub name: Option<String>,
    /// Language tag, when it is known.
    pub locale: Option<String>,
    /// Time zone, when it is known.
    pub time_zone: Option<String>,
    /// Granted scopes.
    pub scopes: Vec<String>,
}

pub(super) async fn identity(
    platform: &Platform,
    directory: &Directory,
    issuer: &Issuer,
    pending: &Pending,
    returned: Returned,
) -> Result<Verified, Refusal> {
    let provider = directory.provider(platform, issuer).await?;
    check_sender(issuer, &provider, returned.iss.as_deref())?;
    if let Some(error) = returned.error {
        tracing::info!(
            provider = issuer.name,
            error = error.chars().take(64).collect::<String>(),
            "the provider said no"
        );
        return Err(Refusal::Denied);
    }
    let code = returned.code.ok_or(Refusal::ProviderInvalid)?;
    let client = client(&platform.config, issuer, &provider)
        .map_err(|error| invalid("the settings cannot be used", &error))?;
    let http = Outgoing(&platform.http);
    let tokens: CoreTokenResponse = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|error| invalid("there is no token endpoint", &error))?
        .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
        .request_async(&http)
        .await
        .map_err(|error| match error {
            RequestTokenError::Request(error) => {
                tracing::warn!(%error, "the token endpoint did not answer");
                Refusal::ProviderAway
            }
            RequestTokenError::ServerResponse(answer) => {
                tracing::warn!(error = %answer.error(), "the token endpoint refused the code");
                Refusal::ProviderInvalid
            }
            // The texts of the others quote the answer, in which tokens may be.
            _ => refuse("the answer of the token endpoint cannot be used"),
        })?;
    let token = tokens
        .id_token()
        .ok_or_else(|| refuse("there is no identity token"))?;
    let nonce = Nonce::new(pending.nonce.clone());
    let verifier = verifier(platform, issuer, &provider);
    let (claims, verifier) = match token.claims(&verifier, &nonce) {
        Ok(claims) => (claims, verifier),
        Err(ClaimsVerificationError::SignatureVerification(
            SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
        )) => {
            // Keys are changed from time to time, by some issuers without another name or without any: look for new ones, once.
            let newest = directory.newest(platform, issuer).await?;
            let verifier = self::verifier(platform, issuer, &newest);
            let claims = token
                .claims(&verifier, &nonce)
                .map_err(|error| invalid("the identity token is not valid", &error))?;
            (claims, verifier)
        }
        Err(error) => return Err(invalid("the identity token is not valid", &error)),
    };
    check_claims(issuer, claims)?;
    check_access_token(&tokens, token, claims, &verifier)?;
    let mut person = person(claims_of(claims));
    if person.email.is_none() {
        person = from_userinfo(&client, &tokens, claims, &http)
            .await?
            .unwrap_or(person);
    }
    let granted = tokens
        .scopes()
        .map(|scopes| scopes.iter().map(|scope| scope.to_string()).collect());
    Ok(Verified {
        provider: if issuer.name == GOOGLE {
            AuthProvider::Google
        } else {
            AuthProvider::Oidc
        },
        provider_name: issuer.name.clone(),
        issuer: Some(issuer.issuer.clone()),
        subject: claims.subject().to_string(),
        scopes: granted.unwrap_or_else(|| issuer.scopes.clone()),
        ..person
    })
}

/// RFC 9207: an answer that names another issuer was mixed up, by accident or on purpose.
fn check_sender(issuer: &Issuer, provider: &Provider, iss: Option<&str>) -> Result<(), Refusal> {
    let always = provider
        .metadata
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    match iss {
        Some(iss) if iss != issuer.issuer => Err(refuse("the answer comes from another issuer")),
        None if always => Err(refuse("the answer does not name its issuer")),
        _ => Ok(()),
    }
}

fn verifier<'a>(platform: &Platform, issuer: &Issuer, provider: &Provider) -> CoreIdTokenVerifier<'a> {
    let now = platform.clock.now();
    // As a public client: signatures with the client's secret are not wanted.
    CoreIdTokenVerifier::new_public_client(
        ClientId::new(issuer.client_id.clone()),
        provider.metadata.issuer().clone(),
        provider.metadata.jwks().clone(),
    )
    .set_allowed_algs(ALGORITHMS)
    .set_time_fn(move || now)
    .set_issue_time_verifier_fn(move |issued| {
        if issued > now + SKEW {
            Err("issued in the future".into())
        } else if issued < now - OLDEST {
            Err("issued long ago".into())
        } else {
            Ok(())
        }
    })
}

fn check_claims(issuer: &Issuer, claims: &CoreIdTokenClaims) -> Result<(), Refusal> {
    if claims
        .authorized_party()
        .is_some_and(|party| party.as_str() != issuer.client_id)
    {
        return Err(refuse("the identity token was made for another client"));
    }
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > LONGEST_SUBJECT || subject.chars().any(char::is_control) {
        return Err(refuse("the subject cannot be used"));
    }
    Ok(())
}

/// The access token must be the one that the identity token speaks of, when it does.
fn check_access_token(
    tokens: &CoreTokenResponse,
    token: &CoreIdToken,
    claims: &CoreIdTokenClaims,
    verifier: &CoreIdTokenVerifier<'_>,
) -> Result<(), Refusal> {
    let Some(expected) = claims.access_token_hash() else {
        return Ok(());
    };
    let key = token
        .signing_key(verifier)
        .map_err(|error| invalid("there is no key", &error))?;
    let algorithm = token
        .signing_alg()
        .map_err(|error| invalid("there is no algorithm", &error))?;
    let actual = AccessTokenHash::from_token(tokens.access_token(), algorithm, key)
        .map_err(|error| invalid("the access token cannot be hashed", &error))?;
    if actual == *expected {
        Ok(())
    } else {
        Err(refuse("the access token is not the identity token's"))
    }
}

/// Providers may keep the address for their userinfo endpoint.
async fn from_userinfo(
    client: &Client,
    tokens: &CoreTokenResponse,
    claims: &CoreIdTokenClaims,
    http: &Outgoing<'_>,
) -> Result<Option<Verified>, Refusal> {
    let subject = claims.subject().clone();
    let Ok(request) = client.user_info(tokens.access_token().clone(), Some(subject)) else {
        return Ok(None);
    };
    let answer: Result<CoreUserInfoClaims, _> = request.request_async(http).await;
    match answer {
        Ok(answer) => Ok(Some(person(answer.standard_claims().clone()))),
        Err(openidconnect::UserInfoError::Request(error)) => {
            tracing::warn!(%error, "the userinfo endpoint did not answer");
            Err(Refusal::ProviderAway)
        }
        Err(_) => Err(refuse("the answer of the userinfo endpoint cannot be used")),
    }
}

fn claims_of(claims: &CoreIdTokenClaims) -> StandardClaims<CoreGenderClaim> {
    StandardClaims::new(claims.subject().clone())
        .set_email(claims.email().cloned())
        .set_email_verified(claims.email_verified())
        .set_name(claims.name().cloned())
        .set_preferred_username(claims.preferred_username().cloned())
        .set_locale(claims.locale().cloned())
        .set_zoneinfo(claims.zoneinfo().cloned())
}

/// What is said about a person, as far as it is to be believed: an address only when the provider has verified it.
fn person(claims: StandardClaims<CoreGenderClaim>) -> Verified {
    let email = claims.email().filter(|_| claims.email_verified() == Some(true));
    let name = claims
        .name()
        .and_then(|name| name.get(None))
        .map(|name| name.as_str().to_owned());
    let username = || claims.preferred_username().map(|name| name.as_str().to_owned());
    Verified {
        provider: AuthProvider::Oidc,
        provider_name: String::new(),
        issuer: None,
        subject: String::new(),
        email: email.and_then(|email| text::email(email.as_str())),
        name: name.or_else(username),
        locale: claims.locale().map(|locale| locale.as_ref().to_owned()),
        time_zone: claims.zoneinfo().map(|zone| zone.as_str().to_owned()),
        scopes: Vec::new(),
    }
}

fn refuse(reason: &'static str) -> Refusal {
    tracing::warn!(reason, "a sign-in cannot be trusted");
    Refusal::ProviderInvalid
}

fn invalid(reason: &'static str, error: &dyn std::error::Error) -> Refusal {
    let cause = error.source().map(ToString::to_string);
    tracing::warn!(reason, %error, cause, "a sign-in cannot be trusted");
    Refusal::ProviderInvalid
}
