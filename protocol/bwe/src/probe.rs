//! Probes: short bursts at a higher rate, whose arrivals tell what the path can carry without waiting for the target to
//! climb there (libwebrtc's `ProbeController` and `ProbeBitrateEstimator`; draft-ietf-rmcat-gcc-02 has none).

mod measure;
mod plan;

pub(crate) use measure::Measures;
pub(crate) use plan::{Planner, View};
