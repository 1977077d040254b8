use super::*;

#[test]
fn the_written_form_reads_back() {
    let homes = [
        Home::from(Nat::None),
        Nat::FullCone.only_tcp_443(),
        Nat::Symmetric.udp_blocked().behind("isp").loss_per_mille(20).kilobits_per_second(5000),
        Nat::PortRestricted.hairpin().ipv6(),
    ];
    for home in homes {
        assert_eq!(home.to_string().parse(), Ok(home));
    }
}

#[test]
fn a_wrong_word_names_the_right_ones() {
    let nat = "cone".parse::<Home>().unwrap_err();
    assert!(nat.contains("full-cone, address-restricted"), "{nat}");
    let option = "symmetric+slow".parse::<Home>().unwrap_err();
    assert!(option.contains("rate=KBIT_PER_SECOND"), "{option}");
    let rate = "symmetric+rate=fast".parse::<Home>().unwrap_err();
    assert!(rate.contains("whole number"), "{rate}");
}
