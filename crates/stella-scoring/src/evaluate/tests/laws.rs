//! What holds for every evaluation, on random signals.

use proptest::prelude::*;

use super::*;
use crate::cvss::tests::any_vector;
use crate::cvss::{Vector, Version};

fn any_cvss() -> impl Strategy<Value = CvssSignal> {
    let vector = prop_oneof![
        any_vector(Version::V2_0),
        any_vector(Version::V3_1),
        any_vector(Version::V4_0),
        Just("CVSS:3.1/AV:N".to_owned()),
    ];
    (vector, any::<bool>()).prop_map(|(vector, own)| cvss(&vector, own))
}

fn any_kev() -> impl Strategy<Value = KevSignal> {
    (0..3u8).prop_map(|n| KevSignal {
        cve: format!("CVE-2021-{n}"),
        ..kev()
    })
}

fn any_vex() -> impl Strategy<Value = VexSignal> {
    let status = prop_oneof![
        Just(VexStatus::NotAffected),
        Just(VexStatus::Affected),
        Just(VexStatus::Fixed),
        Just(VexStatus::UnderInvestigation),
    ];
    let publisher = prop_oneof![Just("vendor"), Just("somebody")];
    (status, publisher).prop_map(|(status, publisher)| vex(status, publisher))
}

prop_compose! {
    fn any_signals()(
        cvss in proptest::collection::vec(any_cvss(), 0..5),
        kev in proptest::option::of(proptest::collection::vec(any_kev(), 0..3)),
        vex in proptest::collection::vec(any_vex(), 0..3),
    ) -> Signals {
        signals(cvss, kev, vex)
    }
}

/// Range of a result; a score is a range of one.
fn range(result: &ScoreResult) -> (u32, u32) {
    (result.score_low_bps, result.score_high_bps)
}

proptest! {
    /// `score` verifies that the steps add up, that views and digests follow.
    #[test]
    fn order_and_repetition_do_not_matter(signals in any_signals()) {
        let result = score(&signals);
        let mut other = signals.clone();
        other.cvss.reverse();
        other.cvss.extend(signals.cvss.iter().cloned());
        other.vex.reverse();
        other.vex.extend(signals.vex.first().cloned());
        if let Some(kev) = &mut other.kev {
            kev.reverse();
        }
        prop_assert_eq!(score(&other), result);
    }

    #[test]
    fn a_listing_never_lowers(signals in any_signals()) {
        let before = range(&score(&signals));
        let mut listed = signals;
        listed.kev.get_or_insert_default().push(kev());
        let after = range(&score(&listed));
        prop_assert!(after.0 >= before.0 && after.1 >= before.1);
    }

    #[test]
    fn a_trusted_not_affected_never_raises(signals in any_signals()) {
        let before = range(&score(&signals));
        let mut stated = signals;
        stated.vex.push(vex(VexStatus::NotAffected, "vendor"));
        let after = range(&score(&stated));
        prop_assert!(after.0 <= before.0 && after.1 <= before.1);
    }

    #[test]
    fn an_untrusted_statement_moves_nothing(signals in any_signals()) {
        let before = range(&score(&signals));
        let mut stated = signals;
        stated.vex.push(vex(VexStatus::NotAffected, "nobody"));
        prop_assert_eq!(range(&score(&stated)), before);
    }

    /// In place of one vector another of the same version and a higher score.
    #[test]
    fn a_higher_vector_never_lowers(signals in any_signals(), other in any_cvss(), place in any::<prop::sample::Index>()) {
        prop_assume!(!signals.cvss.is_empty());
        let at = place.index(signals.cvss.len());
        let read = |signal: &CvssSignal| Vector::parse(&signal.vector).ok();
        let (Some(old), Some(new)) = (read(&signals.cvss[at]), read(&other)) else { return Ok(()) };
        prop_assume!(old.version() == new.version() && old.base_score() <= new.base_score());
        let before = range(&score(&signals));
        let mut raised = signals;
        raised.cvss[at].vector = other.vector;
        let after = range(&score(&raised));
        prop_assert!(after.0 >= before.0 && after.1 >= before.1, "{:?} {:?}", before, after);
    }

    /// Bucket and band of what is not known never say that all is well.
    #[test]
    fn missing_data_never_lowers_urgency(signals in any_signals()) {
        let with = score(&signals);
        let without = score(&Signals { cvss: vec![], ..signals });
        prop_assert!(without.score_high_bps >= with.score_high_bps);
        prop_assert!(without.bucket <= with.bucket);
        prop_assert_eq!(without.band, Band::Unknown);
    }

    /// Without a catalogue the range holds whatever one could say.
    #[test]
    fn a_missing_catalogue_never_lowers_urgency(signals in any_signals()) {
        let with = range(&score(&signals));
        let without = score(&Signals { kev: None, ..signals });
        prop_assert!(without.score_low_bps <= with.0 && without.score_high_bps >= with.1);
    }
}
