//! Findings with their scores: all that fit are read and ranked, and only then cut.

use std::cmp::Reverse;

use clap::ValueEnum;
use serde::Serialize;
use stella_api::Page;
use stella_api::findings::{Finding, FindingPage, Verdict};
use stella_api::score::Band;
use stella_client::Client;

use super::Pending;
use crate::exit::ExitCode;
use crate::failure::Failure;
use crate::label::label;
use crate::moment::Moment;
use crate::pages::{self, Listed};
use crate::scores::{self, Scoring, evaluate_all};
use crate::session::Session;

pub(super) const PATH: &str = "/api/v1/findings";

/// Which findings are asked for.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Filter {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sbom: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) vulnerability: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) purl: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) publisher: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) verdict: Option<Verdict>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fixable: Option<bool>,
    #[serde(flatten)]
    pub(crate) moment: Moment,
}

/// What a list is sorted by; of equals the smaller id comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Order {
    /// Unknown scores, then the highest, then what has no score by its nature.
    #[default]
    #[value(help = label("help-findings-list-sort-score"))]
    Score,
    /// As the server gives them.
    #[value(help = label("help-findings-list-sort-id"))]
    Id,
    /// By the advisory's own id.
    #[value(help = label("help-findings-list-sort-vulnerability"))]
    Vulnerability,
    /// By name, then version, as texts.
    #[value(help = label("help-findings-list-sort-component"))]
    Component,
}

/// Which of the findings that fit are shown, and in which order.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) order: Order,
    /// Only of these bands, if any is named. What could not be scored may be of any.
    pub(crate) bands: Vec<Band>,
    pub(crate) limit: Option<usize>,
}

/// A finding with what came of asking for its score.
pub(crate) type Scored = (Finding, Scoring);

/// Findings that fit a filter, in the order in which to look at them.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Also those that are not shown: one of them may have the highest score, or none for a
    /// reason that the exit code tells.
    all: Vec<Scored>,
    shown: usize,
    /// Whether the server has still more, which nobody counted.
    uncounted: bool,
    pending: Pending,
}

/// Those that fit, up to a limit, and what is not among them yet, which is told at once.
pub(crate) async fn read(
    client: &Client,
    session: &mut Session,
    filter: &Filter,
    limit: Option<usize>,
) -> Result<(Listed<Finding>, Pending), Failure> {
    let mut pending = Pending::default();
    let page = |page: FindingPage| {
        pending = Pending::from(&page);
        Page {
            items: page.items,
            next_page_token: page.next_page_token,
        }
    };
    let listed = pages::list_of(client, PATH, filter, limit, page).await?;
    pending.tell(session);
    Ok((listed, pending))
}

/// Those that fit, each that is shown with its score. Where the score decides which are shown, all
/// are scored: the server gives them by id, so that the highest score may come last, and a cut
/// before the scores are known would hide it. The client needs [`crate::scopes::EVALUATE`].
pub(crate) async fn scored(
    client: &Client,
    session: &mut Session,
    filter: &Filter,
    view: &View,
) -> Result<Found, Failure> {
    let found = if view.goes_by_score() {
        let (Listed { items, .. }, pending) = read(client, session, filter, None).await?;
        let mut scored = evaluate_all(client, session, items).await?;
        scored.retain(|(_, scoring)| view.holds(scoring));
        let found = Found::ranked(scored, view.limit);
        found.sorted(view.order).with(pending)
    } else {
        let mut found = unscored(client, session, filter, view).await?;
        let shown = found.all.drain(..found.shown).map(|(finding, _)| finding);
        let scored = evaluate_all(client, session, shown.collect()).await?;
        found.all.splice(..0, scored);
        found
    };
    // The table has only its code.
    if let Some(failure) = found.failure() {
        session.tell(&failure.text());
    }
    Ok(found)
}

/// The first ones, none of them scored: by id no page is read that is not shown.
pub(crate) async fn unscored(
    client: &Client,
    session: &mut Session,
    filter: &Filter,
    view: &View,
) -> Result<Found, Failure> {
    let as_listed = matches!(view.order, Order::Score | Order::Id);
    let limit = view.limit.filter(|_| as_listed);
    let (Listed { items, more }, pending) = read(client, session, filter, limit).await?;
    let unscored = items.into_iter().map(|item| (item, Scoring::NotAsked));
    let found = match as_listed {
        true => Found::first_of(unscored.collect(), more),
        false => Found::ranked(unscored.collect(), view.limit).sorted(view.order),
    };
    Ok(found.with(pending))
}

impl View {
    /// Whether what is shown is known only when all is scored.
    fn goes_by_score(&self) -> bool {
        self.order == Order::Score || !self.bands.is_empty()
    }

    fn holds(&self, scoring: &Scoring) -> bool {
        let named = |band| self.bands.is_empty() || self.bands.contains(&band);
        match scoring {
            Scoring::Scored(result) => named(result.band),
            Scoring::Failed(_) => true,
            Scoring::NotAsked | Scoring::Informational(_) => self.bands.is_empty(),
        }
    }
}

impl Found {
    /// Unknown scores, then the highest, then what has no score by its nature; of equal ones
    /// the smaller id. Of these the first ones are shown.
    pub(crate) fn ranked(mut all: Vec<Scored>, limit: Option<usize>) -> Self {
        all.sort_by(|a, b| rank(a).cmp(&rank(b)));
        Self {
            shown: limit.map_or(all.len(), |limit| limit.min(all.len())),
            all,
            uncounted: false,
            pending: Pending::default(),
        }
    }

    /// The same in another order.
    pub(crate) fn sorted(mut self, order: Order) -> Self {
        match order {
            Order::Score => {}
            Order::Id => self.all.sort_by(|a, b| a.0.id.cmp(&b.0.id)),
            Order::Vulnerability => {
                let key = |finding: &Finding| (finding.vulnerability.clone(), finding.id.clone());
                self.all.sort_by_cached_key(|(finding, _)| key(finding));
            }
            Order::Component => self.all.sort_by_cached_key(|(finding, _)| {
                let component = &finding.component;
                let (name, version) = (component.name.clone(), component.version.clone());
                (name, version, finding.id.clone())
            }),
        }
        self
    }

    /// In the order given, with more behind them or not.
    pub(crate) fn first_of(all: Vec<Scored>, more: bool) -> Self {
        Self {
            shown: all.len(),
            all,
            uncounted: more,
            pending: Pending::default(),
        }
    }

    /// The same, with what is not among them yet.
    pub(crate) fn with(self, pending: Pending) -> Self {
        Self { pending, ..self }
    }

    /// What is not among them yet.
    pub(crate) fn pending(&self) -> &Pending {
        &self.pending
    }

    /// Those that are shown.
    pub(crate) fn shown(&self) -> &[Scored] {
        &self.all[..self.shown]
    }

    /// How many there are, shown or not, where all were read.
    pub(crate) fn total(&self) -> Option<usize> {
        (!self.uncounted).then_some(self.all.len())
    }

    /// Whether some are not shown.
    pub(crate) fn more(&self) -> bool {
        self.total() != Some(self.shown)
    }

    /// The score with the most points and its finding, shown or not; an unknown one is none.
    pub(crate) fn top(&self) -> Option<(&str, &Finding)> {
        self.all
            .iter()
            .find_map(|(finding, scoring)| match scoring {
                Scoring::Scored(result) if result.score_bps.is_some() => {
                    Some((result.score_id.as_str(), finding))
                }
                _ => None,
            })
    }

    /// Why the first one that could not be scored has no score.
    fn failure(&self) -> Option<&Failure> {
        self.all.iter().find_map(|(_, scoring)| match scoring {
            Scoring::Failed(failure) => Some(failure),
            _ => None,
        })
    }

    /// That of the first one that could not be scored, shown or not; else of what keeps others
    /// from being among them.
    pub(crate) fn exit(&self) -> ExitCode {
        match scores::exit(self.all.iter().map(|(_, scoring)| scoring)) {
            ExitCode::Ok => self.pending.exit(),
            unscored => unscored,
        }
    }
}

fn rank((finding, scoring): &Scored) -> (u8, Reverse<u32>, &str) {
    let (group, points) = match scoring {
        Scoring::Scored(result) => match result.score_bps {
            None => (0, result.score_low_bps),
            Some(bps) => (1, bps),
        },
        Scoring::Failed(_) => (0, 0),
        Scoring::NotAsked | Scoring::Informational(_) => (2, 0),
    };
    (group, Reverse(points), &finding.id)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::scores::made_up;

    fn of(name: &str, bps: u32) -> Scored {
        let mut result = made_up::critical();
        result.score_bps = Some(bps);
        result.score_id = made_up::digest(&format!("score of {name}"));
        let scoring = Scoring::Scored(Box::new(result));
        (made_up::finding(name, "1.0.0"), scoring)
    }

    fn names(found: &Found) -> Vec<&str> {
        let shown = found.shown().iter();
        shown
            .map(|(finding, _)| finding.component.name.as_str())
            .collect()
    }

    /// Scored findings in the order of their ids, as a server lists them, the last the highest.
    fn highest_last(count: u32) -> Vec<Scored> {
        let mut all: Vec<Scored> = (0..count).map(|n| of(&format!("crate-{n}"), 0)).collect();
        all.sort_by(|a, b| a.0.id.cmp(&b.0.id));
        for (bps, (_, scoring)) in (100..).step_by(10).zip(&mut all) {
            let Scoring::Scored(result) = scoring else {
                unreachable!()
            };
            result.score_bps = Some(bps);
        }
        all
    }

    #[test]
    fn the_highest_is_shown_though_it_comes_last() {
        let all = highest_last(600);
        let last = all.last().unwrap().0.component.name.clone();
        let found = Found::ranked(all, Some(1));
        assert_eq!(names(&found), [last.as_str()]);
        assert_eq!((found.more(), found.total()), (true, Some(600)));
        assert_eq!(found.top().unwrap().1.component.name, last);
    }

    #[test]
    fn the_highest_is_explained_also_where_unknown_ones_take_all_room() {
        let unknown = Scoring::Scored(Box::new(made_up::unknown()));
        let all = vec![
            of("low", 10),
            of("high", 9000),
            (made_up::finding("unknown", "1.0.0"), unknown),
        ];
        let found = Found::ranked(all, Some(1));
        assert_eq!(names(&found), ["unknown"]);
        assert_eq!(found.top().unwrap().1.component.name, "high");
    }

    #[test]
    fn a_failure_that_is_not_shown_is_still_an_exit_code() {
        let mut all = made_up::evaluated();
        all.retain(|(finding, _)| ["broken", "unclear"].contains(&&*finding.component.name));
        let found = Found::ranked(all, Some(1));
        assert_eq!(names(&found), ["unclear"]);
        assert_eq!(found.exit(), ExitCode::VerificationFailed);
    }

    #[test]
    fn other_orders_and_bands() {
        let all = vec![of("b", 10), of("a", 9_000), of("c", 50)];
        let sorted = |order| Found::ranked(all.clone(), Some(2)).sorted(order);
        assert_eq!(names(&sorted(Order::Score)), ["a", "c"]);
        assert_eq!(names(&sorted(Order::Component)), ["a", "b"]);
        let mut ids: Vec<&str> = all.iter().map(|(finding, _)| finding.id.as_str()).collect();
        ids.sort_unstable();
        let by_id = sorted(Order::Id);
        let shown: Vec<&str> = by_id.shown().iter().map(|one| one.0.id.as_str()).collect();
        assert_eq!(shown, ids[..2]);
        // What could not be scored may be of the band that is asked for.
        let of_band = |band| {
            let view = View {
                bands: vec![band],
                ..View::default()
            };
            let mut all = made_up::evaluated();
            all.retain(|(_, scoring)| view.holds(scoring));
            names(&Found::ranked(all, None)).join(" ")
        };
        assert_eq!(of_band(Band::Critical), "broken libwebp-sys");
        assert_eq!(of_band(Band::Unknown), "unclear broken");
        assert_eq!(of_band(Band::Low), "broken");
    }

    #[test]
    fn a_limit_beyond_all_cuts_nothing() {
        let found = Found::ranked(highest_last(3), Some(100));
        assert_eq!((found.shown().len(), found.more()), (3, false));
        assert!(Found::first_of(highest_last(3), true).more());
        assert_eq!(Found::first_of(highest_last(3), true).total(), None);
    }

    #[test]
    fn unknown_first_then_the_highest_then_what_has_none() {
        let mut all = made_up::evaluated();
        all.push(of("a-low-one", 10));
        let once = Found::ranked(all.clone(), None);
        all.reverse();
        assert_eq!(names(&once), names(&Found::ranked(all, None)));
        assert_eq!(
            names(&once),
            ["unclear", "broken", "libwebp-sys", "a-low-one", "old"]
        );
    }
}
