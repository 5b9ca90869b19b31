//! The pieces that pages are made of. Their looks are in `style/`.

pub mod access;
pub mod act;
pub mod agent_menu;
pub mod command;
pub mod dialog;
pub mod errors;
pub mod facts;
pub mod form;
pub mod house;
pub mod icon;
pub mod look;
pub mod menus;
pub mod mishap;
pub mod notices;
pub mod password;
pub mod pinza;
pub mod receipt;
pub mod scene;
pub mod sessions;
pub mod spawn;
pub mod stage;
pub mod state;
pub mod switches;
pub mod ticket;
pub mod toasts;
pub mod waking;
