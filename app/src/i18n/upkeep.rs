//! The texts of what an installation costs besides its agents.

use domain::price::Item;

use super::Lang;

pub struct UpkeepStrings {
    pub title: &'static str,
    nat: &'static str,
    address: &'static str,
    other: &'static str,
    pub of_hours: fn(name: &str, hours: &str) -> String,
    pub unknown: &'static str,
    pub note: &'static str,
}

impl Lang {
    /// Its texts of what an installation costs besides its agents.
    pub const fn upkeep(self) -> &'static UpkeepStrings {
        match self {
            Self::Es | Self::EsPoint => &ES,
            Self::En => &EN,
        }
    }
}

impl UpkeepStrings {
    pub const fn item(&self, item: Item) -> &'static str {
        match item {
            Item::NatHour => self.nat,
            Item::Ipv4Hour => self.address,
            _ => self.other,
        }
    }
}

static ES: UpkeepStrings = UpkeepStrings {
    title: "Además, la instalación (estimado)",
    nat: "Pasarelas NAT",
    address: "Sus IPv4",
    other: "Otros",
    of_hours: |name, hours| format!("{name}, {hours}"),
    unknown: "sin precio",
    note: "Estimado con el libro de precios y las horas del mes. No está en el total de arriba ni en los \
           presupuestos. Faltan el balanceador, los datos que pasan por NAT y los estados guardados.",
};

static EN: UpkeepStrings = UpkeepStrings {
    title: "Besides, the installation (estimated)",
    nat: "NAT gateways",
    address: "Their IPv4",
    other: "Others",
    of_hours: |name, hours| format!("{name}, {hours}"),
    unknown: "no price",
    note: "An estimate, by the price book and the month's hours. It is neither in the total above nor in \
           budgets. The balancer, what passes NAT and saved states are not in it.",
};
