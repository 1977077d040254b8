//! What is wrong with packets.

wire::faults! {
    /// What was wrong with a packet of a publication; all but one keep it from being forwarded.
    pub enum Fault {
        /// There is no such publication, or none any more.
        UnknownPublication => "sfu_unknown_publication",
        /// It is of an encoding that was not published.
        Encoding => "sfu_encoding",
        /// It is no RTP packet.
        Header => "sfu_header",
        /// It is of a source that another one has taken the place of.
        FormerSource => "sfu_former_source",
        /// Its payload is none of its codec's.
        Payload => "sfu_payload",
        /// Its dependency descriptor explains nothing; it is forwarded by what its payload says.
        Dependency => "sfu_dependency",
    }
}

/// How many packets had each fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters([u64; Fault::ALL.len()]);

impl Counters {
    pub(crate) fn count(&mut self, fault: Fault) {
        self.0[fault as usize] += 1;
    }

    /// How many had this one.
    pub fn get(&self, fault: Fault) -> u64 {
        self.0[fault as usize]
    }
}
