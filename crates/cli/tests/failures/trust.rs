//! Several owners, one cache, one layer repository: nobody gets what another's credentials opened, or what another
//! has made up.

mod layer_repository;
mod owners;
