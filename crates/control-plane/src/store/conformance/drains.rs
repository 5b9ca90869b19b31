//! Providers at which nothing new is launched.

use domain::agent::ProviderName;

use super::fixture::*;

pub async fn a_provider_is_drained_until_that_is_taken_back(store: Ledger) {
    let drained = async |provider| store.drained(provider).await.unwrap();
    assert_eq!(drained(ProviderName::Fargate).await, None);
    store.set_drained(ProviderName::Fargate, None).await.unwrap();
    for since in [at(5), at(9)] {
        store.set_drained(ProviderName::Fargate, Some(since)).await.unwrap();
        assert_eq!(drained(ProviderName::Fargate).await, Some(since));
    }
    assert_eq!(drained(ProviderName::Local).await, None);
    store.set_drained(ProviderName::Fargate, None).await.unwrap();
    assert_eq!(drained(ProviderName::Fargate).await, None);
}
