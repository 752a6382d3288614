"""Relations of the catalogue."""

from loaders.batching import many, one, page
from models import catalogue, pages, product_pages, selling, shops, translations

channel = one(shops.channels_by_id)
product = one(catalogue.products_by_id)
product_type = one(catalogue.product_types_by_id)
category = one(catalogue.categories_by_id)
collection = one(catalogue.collections_by_id)
variant = one(catalogue.variants_by_id)
media = one(catalogue.media_by_id)
attribute = one(catalogue.attributes_by_id, present=("id", "name"))
attribute_value = one(catalogue.attribute_values_by_id, present=("id", "name"))
listing = one(selling.listings_by_id)
warehouse = one(selling.warehouses_by_id)
review = one(pages.reviews_by_id)
written_review = one(pages.reviews_by_id_of_any_status)

children_of_category = many(catalogue.children_of_categories)
ancestors_of_category = many(catalogue.ancestors_of_categories)
products_of_category = page(product_pages.products_of_categories, count=product_pages.counts_of_categories)

products_of_collection = page(product_pages.products_of_collections, count=product_pages.counts_of_collections)

attributes_of_product_type = many(catalogue.attributes_of_product_types)
values_of_attribute = many(catalogue.values_of_attributes)

variants_of_product = many(catalogue.variants_of_products)
media_of_product = many(catalogue.media_of_products)
attributes_of_product = many(catalogue.assignments_of_products)
collections_of_product = many(catalogue.collections_of_products)
related_products = many(catalogue.related_products)
reviews_of_product = page(pages.reviews_of_products, count=pages.review_counts_of_products)
price_range_of_product = one(selling.price_ranges_of_products, by="product_id", present=())
availability_of_product = one(selling.availability_of_products, present=("is_available",))

media_of_variant = many(catalogue.media_of_variants)
attributes_of_variant = many(catalogue.assignments_of_variants)
price_of_variant = one(
    selling.prices_of_variants, by="variant_id", joint=selling.price_beside_variants, present=("minor",)
)
compare_at_price_of_variant = one(
    selling.compare_at_prices_of_variants,
    by="variant_id",
    joint=selling.compare_at_price_beside_variants,
    present=("minor",),
)
listings_of_variant = many(selling.listings_of_variants)
availability_of_variant = one(
    selling.availability_of_variants, joint=selling.availability_beside_variants, present=("is_available",)
)
stock_levels_of_variant = many(selling.stock_levels_of_variants)

translations_of = many(translations.translations_of_entities)
