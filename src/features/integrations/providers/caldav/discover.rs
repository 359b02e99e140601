//! From the address a person typed to the list of calendars.
//!
//! Promises: works for the address of a server, a principal, a home set or a single calendar (RFC 4791, 5397, 6764 without
//! DNS); lists only collections that can hold events. What the address turns out to be is asked, not guessed from its path.

use http::StatusCode;
use libdav::dav::Propfind;
use libdav::{Depth, PropertyName, names};
use url::Url;

use super::session::{NO_PATH, SMALL, Session};
use super::{calendar, href, multistatus};
use crate::features::integrations::providers::{ProviderError, RemoteCalendar};

const NOTHING_HERE: ProviderError =
    ProviderError::NotACalendar("No CalDAV calendars were found at this address.");

/// What one address says about itself and where calendars are.
struct Place {
    url: Url,
    is_calendar: bool,
    homes: Vec<Url>,
    principal: Option<Url>,
}

/// Finds the calendars of the account.
pub(super) async fn calendars(session: &Session) -> Result<Vec<RemoteCalendar>, ProviderError> {
    let mut first_error = None;
    let mut spoke_dav = false;
    for url in starting_points(session.base()) {
        let place = match look(session, &url).await {
            Ok(Some(place)) => place,
            Ok(None) => continue,
            // The server is away, or a person has to act: other addresses of it will not help.
            Err(
                error @ (ProviderError::Unauthorized
                | ProviderError::Blocked(_)
                | ProviderError::RateLimited { .. }),
            ) => {
                return Err(error);
            }
            Err(error) => {
                first_error.get_or_insert(error);
                continue;
            }
        };
        spoke_dav = true;
        if let Some(found) = calendars_of(session, &place).await? {
            return Ok(found);
        }
    }
    Err(first_error.filter(|_| !spoke_dav).unwrap_or(NOTHING_HERE))
}

/// The address itself, then the places where RFC 6764 says to look.
fn starting_points(base: &Url) -> Vec<Url> {
    let mut points = vec![base.clone()];
    for path in ["/.well-known/caldav", "/"] {
        let mut point = base.clone();
        point.set_path(path);
        if !points.contains(&point) {
            points.push(point);
        }
    }
    points
}

async fn calendars_of(
    session: &Session,
    place: &Place,
) -> Result<Option<Vec<RemoteCalendar>>, ProviderError> {
    if place.is_calendar {
        let found = list(session, &place.url, Depth::Zero).await?;
        return Ok((!found.is_empty()).then_some(found));
    }
    if !place.homes.is_empty() {
        return in_homes(session, &place.homes).await.map(Some);
    }
    // Somebody may have given the home set of another person: what is right here comes before one's own principal.
    if place.url.path() != "/" {
        let here = list(session, &place.url, Depth::One).await.unwrap_or_default();
        if !here.is_empty() {
            return Ok(Some(here));
        }
    }
    let Some(principal) = &place.principal else {
        return Ok(None);
    };
    match look(session, principal).await? {
        Some(found) if !found.homes.is_empty() => in_homes(session, &found.homes).await.map(Some),
        _ => Ok(None),
    }
}

async fn in_homes(session: &Session, homes: &[Url]) -> Result<Vec<RemoteCalendar>, ProviderError> {
    let mut found: Vec<RemoteCalendar> = Vec::new();
    for home in homes {
        for calendar in list(session, home, Depth::One).await? {
            if !found.iter().any(|known| known.id == calendar.id) {
                found.push(calendar);
            }
        }
    }
    Ok(found)
}

/// Asks an address what it is. `None` when it is not a WebDAV resource.
async fn look(session: &Session, url: &Url) -> Result<Option<Place>, ProviderError> {
    let wanted: [&PropertyName<'_, '_>; 3] = [
        &names::RESOURCETYPE,
        &names::CURRENT_USER_PRINCIPAL,
        &names::CALENDAR_HOME_SET,
    ];
    let request = Propfind::new(NO_PATH)
        .with_properties(&wanted)
        .with_depth(Depth::Zero);
    let answer = session.send(&request, url, SMALL).await?;
    match answer.status {
        StatusCode::MULTI_STATUS => {}
        StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            return Ok(None);
        }
        status if status.is_success() || status.is_redirection() => return Ok(None),
        _ => return Err(ProviderError::from_status(&answer)),
    }
    let text = multistatus::text(&answer.body);
    let Some(document) = multistatus::parse(&text) else {
        return Ok(None);
    };
    let Some(response) = multistatus::responses(&document).next() else {
        return Ok(None);
    };
    let hrefs = |name: &PropertyName<'_, '_>| -> Vec<Url> {
        let Some(property) = response.property(name) else {
            return Vec::new();
        };
        let hrefs = property
            .descendants()
            .filter(|node| node.tag_name() == names::HREF);
        hrefs
            .filter_map(|node| href::resolve(&answer.final_url, &multistatus::whole_text(node)))
            .collect()
    };
    Ok(Some(Place {
        is_calendar: response.property_has(&names::RESOURCETYPE, &names::CALENDAR),
        homes: hrefs(&names::CALENDAR_HOME_SET),
        principal: hrefs(&names::CURRENT_USER_PRINCIPAL).pop(),
        url: answer.final_url,
    }))
}

async fn list(session: &Session, url: &Url, depth: Depth) -> Result<Vec<RemoteCalendar>, ProviderError> {
    let request = Propfind::new(NO_PATH)
        .with_properties(&calendar::PROPERTIES)
        .with_depth(depth);
    let answer = session.send(&request, url, SMALL).await?;
    if !answer.status.is_success() {
        return Err(ProviderError::from_status(&answer));
    }
    let text = multistatus::text(&answer.body);
    let document = multistatus::parse(&text)
        .ok_or_else(|| ProviderError::Protocol("The server's list of calendars cannot be read.".into()))?;
    let found = multistatus::responses(&document);
    Ok(found
        .filter_map(|response| calendar::read(response, session.base(), &answer.final_url))
        .collect())
}
