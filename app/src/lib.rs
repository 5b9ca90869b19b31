//! The console: pages, components, server functions.
