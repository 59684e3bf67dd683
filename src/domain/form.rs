//! Forms that people apply with: what they ask, who may apply, and drafts of answers.
//!
//! Invariants: no guild has two forms of one name; nobody has two drafts of one form; sending a draft takes it away in
//! the transaction that makes the application, so that it makes one.

mod change;
mod config;
mod draft;
mod eligibility;
mod filing;
mod native;
mod panel;
mod policy;
mod read;
mod refusal;
pub(in crate::domain) mod row;
mod send;
mod transfer;

pub use change::{EligibilityChange, FormChange, QuestionChange, RoleChange, change_form, create_form, remove_form};
pub use config::{
    ANSWER_MAX, CHOICE_MAX, CHOICES_MAX, Eligibility, FormConfig, INTRO_MAX, LABEL_MAX, NAME_MAX, PLACEHOLDER_MAX,
    Page, QUESTIONS_MAX, Question, ROLES_MAX, TITLE_MAX, pages,
};
pub use draft::{Answers, DRAFT_DAYS, DraftView, discard_draft, draft, drafts, missing, prune_drafts, save_answers};
pub use eligibility::{Applicant, obstacles};
pub use filing::{Mine, mine, my_application};
pub use native::{NativeRequest, link_native, mirror_request, native_form};
pub use panel::{PANELS_MAX, forget_panel, note_panel, panels};
pub use policy::PolicyChange;
pub use read::{FormView, form, form_named, form_of_draft, forms};
pub use refusal::FormRefusal;
pub use send::{Sent, begin_edit, send};
pub use transfer::{export, plan_import};

#[cfg(test)]
mod tests;
