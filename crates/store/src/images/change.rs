//! Adding, changing and removing images.

use imagewright_spec::ImageName;
use sea_orm::sea_query::OnConflict;
use sea_orm::{
    ActiveModelTrait as _, ActiveValue::Set, ColumnTrait as _, DatabaseTransaction, EntityTrait as _,
    QueryFilter as _,
};

use super::Image;
use crate::error::StoreError;
use crate::identifiers::GroupId;
use crate::session::Session;
use crate::tables::image::{ActiveModel, Column, Entity};
use crate::tables::image_group;

impl Session<DatabaseTransaction> {
    /// Adds an image.
    ///
    /// # Errors
    /// [`StoreError::Taken`] for a name that another has, [`StoreError::Referred`] for a group or a secret that does
    /// not exist.
    pub async fn insert_image(&self, image: &Image) -> Result<(), StoreError> {
        ActiveModel::from(image).insert(&self.connection).await?;
        Ok(())
    }

    /// Writes all fields of an image anew. False when there is no such image.
    pub async fn update_image(&self, image: &Image) -> Result<bool, StoreError> {
        let outcome = Entity::update_many()
            .set(ActiveModel::from(image))
            .filter(Column::Name.eq(image.name.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(outcome.rows_affected > 0)
    }

    /// Removes an image; its builds stay. False when there is no such image.
    pub async fn delete_image(&self, name: &ImageName) -> Result<bool, StoreError> {
        Ok(Entity::delete_by_id(name.as_str()).exec(&self.connection).await?.rows_affected > 0)
    }

    /// Shares a system image with a group; once more changes nothing.
    pub async fn share_image(&self, name: &ImageName, group: &GroupId) -> Result<(), StoreError> {
        let row =
            image_group::ActiveModel { image_name: Set(name.to_string()), group_id: Set(group.to_string()) };
        let keys = [image_group::Column::ImageName, image_group::Column::GroupId];
        image_group::Entity::insert(row)
            .on_conflict(OnConflict::columns(keys).do_nothing_on(keys).to_owned())
            .exec_without_returning(&self.connection)
            .await?;
        Ok(())
    }

    /// Shares a system image with a group no more.
    pub async fn unshare_image(&self, name: &ImageName, group: &GroupId) -> Result<(), StoreError> {
        image_group::Entity::delete_many()
            .filter(image_group::Column::ImageName.eq(name.as_str()))
            .filter(image_group::Column::GroupId.eq(group.as_str()))
            .exec(&self.connection)
            .await?;
        Ok(())
    }
}
