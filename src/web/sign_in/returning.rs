//! Which addresses a sign-in may end at. Promises: only pages of this server and of allowed origins, however the address is written, so that
//! nobody is led from a real sign-in to a false page.

use url::Url;

use super::super::Web;
use super::super::failure::Failure;

/// The address that was asked for, or the front end. A path is one of this server.
pub(in super::super) fn return_address(web: &Web, wanted: Option<&str>) -> Result<Url, Failure> {
    let config = &web.platform.config;
    let Some(wanted) = wanted.filter(|text| !text.is_empty()) else {
        return Ok(config.sign_in.app_url.clone());
    };
    // Parsed as browsers do it, so that what is checked is where they go: `//host`, `/\host` and tabs inside are seen through.
    let url = config.public_url.join(wanted).ok();
    let allowed = |url: &Url| {
        let origin = url.origin();
        let is_app = origin == config.sign_in.app_url.origin();
        let is_web = matches!(url.scheme(), "http" | "https");
        let is_known = is_app || web.origins().allows(&origin.ascii_serialization());
        is_web && is_known && url.username().is_empty() && url.password().is_none()
    };
    url.filter(allowed).ok_or_else(|| {
        Failure::bad_request("`returnTo` is not an address of this server or of an allowed origin.")
    })
}
