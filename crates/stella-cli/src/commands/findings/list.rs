//! `stella findings list`

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use stella_api::findings::Verdict;
use stella_api::score::Band;

use crate::answer::Answer;
use crate::connection::connect;
use crate::failure::Failure;
use crate::findings::{self, Filter, Order, View};
use crate::id::Id;
use crate::label::label;
use crate::moment::Moment;
use crate::pages;
use crate::scopes;
use crate::session::Session;

/// `stella findings list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Only of this SBOM.
    #[arg(long, value_name = "ID", help = label("help-findings-list-sbom"))]
    sbom: Option<Id>,
    /// Only of this vulnerability.
    #[arg(long, value_name = "ID", help = label("help-findings-list-vulnerability"))]
    vulnerability: Option<String>,
    /// Only of this component.
    #[arg(long, value_name = "PURL", help = label("help-findings-list-purl"))]
    purl: Option<String>,
    /// Only of advisories of this publisher.
    #[arg(long, value_name = "NAME", help = label("help-findings-list-publisher"))]
    publisher: Option<String>,
    /// Only of this verdict.
    #[arg(long, value_name = "VERDICT", value_parser = one_of(VERDICTS), help = label("help-findings-list-verdict"))]
    verdict: Option<Verdict>,
    /// Only what a newer version ends.
    #[arg(long, conflicts_with = "no_fix", help = label("help-findings-list-fixable"))]
    fixable: bool,
    /// Only what no version is known to end.
    #[arg(long, help = label("help-findings-list-no-fix"))]
    no_fix: bool,
    /// Only of these bands.
    #[arg(long, value_name = "BAND", value_delimiter = ',', conflicts_with_all = ["no_score", "as_of", "known_at"], ignore_case = true, value_parser = one_of(BANDS), help = label("help-findings-list-band"))]
    band: Vec<Band>,
    /// The order.
    #[arg(long, value_name = "ORDER", value_enum, default_value_t = Order::Score, help = label("help-findings-list-sort"))]
    sort: Order,
    /// From what had been fetched and received by then.
    #[command(flatten)]
    moment: Moment,
    /// At most so many.
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = pages::limit, help = label("help-limit"))]
    limit: usize,
    /// As many as there are.
    #[arg(long, conflicts_with = "limit", help = label("help-findings-list-all"))]
    all: bool,
    /// Without asking for scores.
    #[arg(long, help = label("help-findings-list-no-score"))]
    no_score: bool,
}

const VERDICTS: &[(&str, Verdict)] = &[
    ("affected", Verdict::Affected),
    ("undetermined", Verdict::Undetermined),
];
const BANDS: &[(&str, Band)] = &[
    ("unknown", Band::Unknown),
    ("critical", Band::Critical),
    ("high", Band::High),
    ("medium", Band::Medium),
    ("low", Band::Low),
    ("info", Band::Info),
];

/// Takes one of these words, in any case.
fn one_of<T: Copy + Send + Sync + 'static>(
    words: &'static [(&'static str, T)],
) -> impl TypedValueParser<Value = T> {
    let known = PossibleValuesParser::new(words.iter().map(|(word, _)| *word));
    known.try_map(move |given| {
        let found = words
            .iter()
            .find(|(word, _)| word.eq_ignore_ascii_case(&given));
        found.map(|(_, value)| *value).ok_or(given)
    })
}

pub(crate) async fn run(arguments: ListArgs, session: &mut Session) -> Result<Answer, Failure> {
    // A score is of now: it would rest on documents that came since.
    let no_score = arguments.no_score || arguments.moment.is_said();
    let scopes = if no_score {
        scopes::FINDINGS
    } else {
        scopes::EVALUATE
    };
    let client = connect(session, scopes)?;
    let view = View {
        order: arguments.sort,
        bands: arguments.band,
        limit: (!arguments.all).then_some(arguments.limit),
    };
    let filter = Filter {
        sbom: arguments.sbom.map(|id| id.to_string()),
        vulnerability: arguments.vulnerability,
        purl: arguments.purl,
        publisher: arguments.publisher,
        verdict: arguments.verdict,
        fixable: match (arguments.fixable, arguments.no_fix) {
            (false, false) => None,
            (fixable, _) => Some(fixable),
        },
        moment: arguments.moment,
    };
    let found = if no_score {
        findings::unscored(&client, session, &filter, &view).await?
    } else {
        findings::scored(&client, session, &filter, &view).await?
    };
    findings::listed(&found)
}
