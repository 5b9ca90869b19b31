//! What every store must do, whatever it keeps its rows in: [`suite!`] makes a
//! test of each rule, on a store of its own.

pub mod accounts;
pub mod agents;
pub mod audit;
pub mod deadlines;
pub mod drains;
pub mod fixture;
pub mod fleet;
pub mod limits;
pub mod people;
pub mod sessions;
pub mod usage;

/// `suite!(open)`: `open` is an async function that gives an empty store and
/// what must live as long as it.
macro_rules! suite {
    ($open:path) => {
        $crate::store::conformance::suite!($open;
            agents: an_agent_is_read_back_as_it_was_committed,
            agents: an_unknown_agent_is_none,
            agents: an_agent_that_is_there_is_not_created_again,
            agents: a_commit_on_an_older_version_is_refused_and_changes_nothing,
            agents: a_commit_on_an_unknown_agent_is_refused,
            agents: of_commits_at_once_each_version_has_one,
            agents: an_owners_agents_come_by_page_without_deleted_ones_and_others,
            agents: events_come_in_order_after_a_number,
            agents: a_segment_opens_and_closes_with_its_commit,
            agents: segments_come_newest_first_by_page,
            agents: a_key_gives_the_same_agent_to_the_same_request,
            agents: a_key_is_its_owners_own,
            agents: an_expired_key_is_as_if_never_used,
            agents: of_creations_at_once_by_one_key_one_makes_an_agent,
            deadlines: due_agents_are_claimed_earliest_first,
            deadlines: a_claimed_agent_is_nobody_elses_until_the_claim_runs_out,
            deadlines: a_commit_ends_a_claim,
            deadlines: of_claims_at_once_each_agent_goes_to_one,
            deadlines: deadlines_are_their_shards_own,
            deadlines: the_next_deadline_is_the_earliest_or_a_claims_end,
            deadlines: awake_agents_are_those_that_cost_or_soon_will,
            drains: a_provider_is_drained_until_that_is_taken_back,
            accounts: an_account_is_changed_on_its_version,
            accounts: accounts_are_listed_by_their_subjects,
            accounts: a_turn_is_one_writers,
            accounts: a_commit_in_a_turn_that_passed_changes_nothing,
            accounts: of_spawns_at_once_no_more_pass_than_may_be_awake,
            accounts: of_spawns_at_once_no_more_pass_than_there_is_money_for,
            accounts: who_used_a_budget_up_is_told_and_sleeps_saved,
            accounts: of_spawns_at_once_no_more_pass_than_the_fleet_may_have_awake,
            accounts: a_fleet_that_used_its_budget_up_sleeps_saved,
            accounts: a_teams_limit_is_its_peoples,
            limits: of_spawns_at_once_no_more_pass_than_an_owner_may_have,
            limits: a_persons_budget_sees_all_of_their_agents,
            limits: a_budget_that_was_taken_back_costs_nothing_and_limits_nothing,
            limits: who_is_refused_for_what_nobody_told_is_told,
            limits: a_clock_that_was_ahead_once_hides_no_spending,
            usage: a_closed_segment_waits_to_be_folded,
            usage: a_fold_adds_a_days_part_once,
            usage: of_folds_at_once_one_adds,
            usage: a_long_segment_goes_into_its_months_day_by_day,
            usage: lines_come_by_page_in_order,
            people: a_nonce_is_spent_by_one_binding,
            people: of_enrolments_at_once_one_binding_wins,
            people: an_expired_or_unknown_nonce_is_worth_nothing,
            people: a_name_is_one_persons,
            people: a_role_is_changed_with_its_entry_or_not_at_all,
            people: a_sign_in_link_works_once,
            people: a_link_takes_the_place_of_its_persons_others_and_all_are_voided,
            people: access_is_closed_and_opened_and_changes_nothing_else,
            people: a_team_is_given_and_taken_and_changes_no_role,
            people: people_come_by_name_and_page,
            people: a_password_is_its_owners_latest,
            sessions: a_session_lasts_until_it_ends_or_expires,
            sessions: sessions_are_their_owners_newest_first,
            sessions: a_session_that_is_seen_is_so_in_every_list_and_one_that_ended_stays_so,
            sessions: whatever_is_taken_back_changes_the_count,
            sessions: an_invitation_is_open_until_it_ends_or_is_withdrawn,
            sessions: an_invitation_makes_one_person,
            sessions: a_taken_name_or_a_late_invitation_makes_nobody,
            sessions: a_look_is_changed_on_its_version_and_told_or_neither,
            people: a_token_is_found_by_its_secret_until_it_is_revoked,
            people: nobody_revokes_anothers_token,
            people: tokens_come_newest_first_100_at_most,
            people: sweeping_takes_nothing_that_is_of_use,
            audit: entries_come_in_order_by_month_and_page,
            audit: an_entry_is_told_once_and_stays,
            fleet: the_list_is_as_the_rows_are_whatever_happens,
            fleet: the_list_comes_by_shard_and_page_without_deleted_ones,
            people: a_store_that_answers_is_ready,
        );
    };
    ($open:path; $($room:ident: $rule:ident,)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $rule() {
                let (store, _keep) = $open().await;
                $crate::store::conformance::$room::$rule(store).await;
            }
        )*
    };
}
pub(crate) use suite;
