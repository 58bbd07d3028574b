//! Queries per second at a given recall, from a sweep over `ef`.

use super::report::{AtRecall, Search};

/// What searches are compared at.
const RECALLS: [f64; 4] = [0.90, 0.95, 0.99, 0.999];

/// The rate at each recall that the sweep reaches.
pub(super) fn at_recalls(sweep: &[Search]) -> Vec<AtRecall> {
    let mut points: Vec<_> = sweep.iter().map(|search| (search.recall, search.qps)).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let at = |recall| qps_at(&points, recall).map(|qps| AtRecall { recall, qps });
    RECALLS.into_iter().filter_map(at).collect()
}

/// The best rate at `recall` or more: of a point itself, or between two points, where the logarithm
/// of the rate is taken as linear in recall. `points` are (recall, rate) by growing recall.
fn qps_at(points: &[(f64, f64)], recall: f64) -> Option<f64> {
    let reached = points.iter().filter(|point| point.0 >= recall).map(|point| point.1);
    let between = points.windows(2).filter_map(|pair| {
        let [(low, fast), (high, slow)] = *pair else { return None };
        let part = (recall - low) / (high - low);
        (low < recall && recall <= high)
            .then(|| (fast.ln() * (1.0 - part) + slow.ln() * part).exp())
    });
    reached.chain(between).max_by(f64::total_cmp)
}

#[cfg(test)]
mod tests {
    use super::qps_at;

    #[track_caller]
    fn check(points: &[(f64, f64)], recall: f64, expected: Option<f64>) {
        let qps = qps_at(points, recall);
        let near = qps.zip(expected).is_some_and(|(qps, expected)| (qps - expected).abs() < 1e-6);
        assert!(near || qps.is_none() && expected.is_none(), "{qps:?}, not {expected:?}");
    }

    #[test]
    fn rates_fall_by_equal_factors_between_two_points() {
        let points = [(0.8, 1_000.0), (0.9, 100.0), (1.0, 10.0)];
        check(&points, 0.85, Some(1_000.0_f64.sqrt() * 10.0));
        check(&points, 0.9, Some(100.0));
    }

    #[test]
    fn a_recall_that_every_point_has_costs_what_the_fastest_does() {
        check(&[(0.95, 500.0), (0.99, 50.0)], 0.9, Some(500.0));
    }

    #[test]
    fn a_recall_that_no_point_reaches_has_no_rate() {
        check(&[(0.8, 500.0), (0.9, 50.0)], 0.95, None);
        check(&[], 0.9, None);
    }
}
